/** Arbitraries from a policy: what it admits, and what it only just refuses. */
import type { Arbitrary } from "fast-check";
import { resolvePolicy } from "../../compile/resolve.js";
import { didYouMean } from "../../errors/did-you-mean.js";
import { Report } from "../../errors/diagnostics.js";
import { checkPolicy, PolicyError, type PolicyDocument } from "../../index.js";
import type { ResolvedRoute } from "../../model/resolved.js";
import type { TestPerson } from "../policy-test.gen.js";
import type { FastCheck } from "./fast-check.js";
import { Requests, type GeneratedRequest } from "./requests.js";
import { nearTargets } from "./targets.js";

/** Each for all routes, or for the one whose key is given. */
export interface PolicyArbitraries {
  /** Requests that match a route and fit its schemas, from somebody whom it lets in. */
  readonly requests: (route?: string) => Arbitrary<GeneratedRequest>;
  /**
   * The same with exactly one thing wrong: a bound missed by one, a member that is missing, unknown or of another type; no credential,
   * an expired or forged one, another issuer or audience; other roles, one scope too few.
   */
  readonly nearMisses: (route?: string) => Arbitrary<GeneratedRequest>;
  /** People whom a route lets in, as far as roles, scopes and claims tell. Never anonymous ones. */
  readonly people: (route?: string) => Arbitrary<TestPerson>;
  /** Raw targets: paths of the routes, and other spellings of them (`/%61dmin`, `//admin`, `/x/../admin`, `/admin;x`). */
  readonly targets: (route?: string) => Arbitrary<string>;
}

/**
 * @param fc fast-check, as the test imports it
 * @throws PolicyError for a policy that cannot be served
 */
export function arbitrariesFor(policy: PolicyDocument, fc: FastCheck): PolicyArbitraries {
  const problems = checkPolicy(policy).filter(({ severity }) => severity === "error");
  const report = new Report();
  const resolved = problems.length > 0 ? undefined : resolvePolicy(policy, report);
  if (resolved === undefined) throw new PolicyError([...problems, ...report.diagnostics]);
  const requests = new Requests(fc, resolved);
  const chosen = (key: string | undefined): readonly ResolvedRoute[] => {
    if (key === undefined) return resolved.routes;
    const route = resolved.routes.find((one) => one.key === key);
    if (route !== undefined) return [route];
    const known = resolved.routes.map((one) => one.key);
    throw new TypeError(
      `the policy has no route \`${key}\`: ${didYouMean(key, known) ?? "write its key as the policy has it"}`,
    );
  };
  const oneOf = <T>(
    key: string | undefined,
    what: string,
    make: (route: ResolvedRoute) => readonly Arbitrary<T>[],
  ): Arbitrary<T> => {
    const all = chosen(key).flatMap(make);
    if (all.length === 0)
      throw new TypeError(`no ${what} can be made for ${key === undefined ? "this policy" : `\`${key}\``}`);
    return fc.oneof(...all);
  };
  const fitting = (route: ResolvedRoute): readonly Arbitrary<GeneratedRequest>[] => {
    const arbitrary = requests.fitting(route);
    return arbitrary === undefined ? [] : [arbitrary];
  };
  return {
    requests: (key) => oneOf(key, "request that is let in", fitting),
    nearMisses: (key) => oneOf(key, "near miss", (route) => requests.misses(route)),
    people: (key) =>
      oneOf(key, "person", (route) => {
        if (route.authenticate.mode === "none") return [];
        return fitting(route).map((made) =>
          made.filter(({ as }) => as !== undefined).map(({ as }): TestPerson => as ?? {}),
        );
      }),
    targets: (key) =>
      oneOf(key, "target", (route) =>
        fitting(route).map((made) =>
          made.chain(({ request: { target } }) => fc.constantFrom(target, ...nearTargets(target))),
        ),
      ),
  };
}
