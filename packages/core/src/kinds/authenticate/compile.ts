/** The document's authenticators → one judge each, shared by all routes, and a stage for each route that authenticates. */
import type { CompiledKind, CompileEnvironment } from "../../model/kind.js";
import type { JwtSettings } from "../../model/policy.js";
import type { ResolvedAuthenticator, ResolvedPolicy } from "../../model/resolved.js";
import { carrierKey } from "./carrier.js";
import { challengeFields } from "./challenge.js";
import { compileClaims } from "./claims.js";
import { compileApiKey, compileCustom } from "./compile-code.js";
import { compileKeys } from "./compile-keys.js";
import type { Judge } from "./credential.js";
import { authenticateStage } from "./evaluate.js";
import { identityMaker, type IdentityMaker } from "./identity.js";
import { compileHeader } from "./jose-header.js";
import { jwtJudge } from "./jwt.js";
import { authenticatorsOf, planRoute } from "./plan.js";
import { compilePrincipalMap, tokenMap } from "./principal-map.js";
import { TokenCache } from "./token-cache.js";

export async function compileAuthenticate(
  policy: ResolvedPolicy,
  environment: CompileEnvironment,
): Promise<CompiledKind> {
  const judges = await compileJudges(policy, environment);
  const realm = policy.document.name;
  const parts = { judges, tools: environment.platform, realm };
  return {
    stages: (route) =>
      route.authenticate.mode === "none" ? [] : [authenticateStage(planRoute(route, parts))],
    challenge: (route) => challengeFields(authenticatorsOf(route), realm),
  };
}

async function compileJudges(
  policy: ResolvedPolicy,
  environment: CompileEnvironment,
): Promise<ReadonlyMap<string, Judge>> {
  const judges = new Map<string, Judge>();
  const context: Context = {
    policy,
    environment,
    cache: new TokenCache(),
    tokenCarriers: countTokenCarriers(policy),
  };
  for (const authenticator of policy.authenticators.values()) {
    const judge = await compileJudge(authenticator, context);
    if (judge !== undefined) judges.set(authenticator.name, judge);
  }
  return judges;
}

interface Context {
  readonly policy: ResolvedPolicy;
  readonly environment: CompileEnvironment;
  readonly cache: TokenCache;
  /** How many issuers' tokens may stand in one place. */
  readonly tokenCarriers: ReadonlyMap<string, number>;
}

function tokenCarrier({ carrier }: ResolvedAuthenticator): string {
  return `${carrierKey(carrier)} ${carrier.scheme ?? ""}`;
}

function countTokenCarriers(policy: ResolvedPolicy): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const one of policy.authenticators.values()) {
    if (one.settings.type === "jwt") counts.set(tokenCarrier(one), (counts.get(tokenCarrier(one)) ?? 0) + 1);
  }
  return counts;
}

function compileJudge(authenticator: ResolvedAuthenticator, context: Context): Promise<Judge | undefined> {
  const { settings } = authenticator;
  const identify = identityMaker(authenticator, context.policy.roles);
  switch (settings.type) {
    case "jwt":
      return compileJwt(authenticator, settings, identify, context);
    case "api-key":
      return compileApiKey({ pointer: authenticator.pointer, settings, identify, ...context });
    case "custom":
      return Promise.resolve(compileCustom(authenticator.pointer, settings, identify, context.environment));
  }
}

async function compileJwt(
  authenticator: ResolvedAuthenticator,
  settings: JwtSettings,
  identify: IdentityMaker,
  { policy, environment, cache, tokenCarriers }: Context,
): Promise<Judge> {
  const keys = await compileKeys(settings, authenticator.pointer, environment);
  return jwtJudge({
    pointer: authenticator.pointer,
    index: [...policy.authenticators.keys()].indexOf(authenticator.name),
    several: (tokenCarriers.get(tokenCarrier(authenticator)) ?? 0) > 1,
    cache,
    header: compileHeader(keys, settings.typ),
    claims: compileClaims(settings),
    map: compilePrincipalMap(tokenMap(settings.principal)),
    identify,
  });
}
