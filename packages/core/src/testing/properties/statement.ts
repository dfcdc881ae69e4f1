/** `anonymous reaches GET /admin/*`: who must never get where. A small closed grammar: what it does not know is an error. */
import { isKeyProblem, parsePath } from "../../compile/path-pattern.js";
import type { PatternPart, ResolvedPolicy } from "../../model/resolved.js";
import { didYouMean } from "../../errors/did-you-mean.js";
import { didNotFit } from "../problems.js";
import type { TestPerson } from "../policy-test.gen.js";

/** Who is spoken of. */
export type Who =
  /** Nobody with a credential. */
  | "anonymous"
  /** With whatever credential, or none. */
  | "anyone"
  /** Somebody whose credential brings this role alone. */
  | { readonly role: string }
  /** With whatever credential, or none, that does not bring this role, nor one that includes it. */
  | { readonly withoutRole: string }
  | { readonly withoutScope: string }
  /** Whom the function says; undefined is an anonymous caller. */
  | ((person: TestPerson | undefined) => boolean);

/** What must never happen. */
export interface Statement {
  readonly who: Who;
  /** `/admin/*`, or with methods in front: `DELETE /orders/:id`, `PUT|PATCH /orders/:id`. Segments as in routes. */
  readonly reaches: string;
}

export interface Destination {
  /** Undefined: any. */
  readonly methods: readonly string[] | undefined;
  readonly parts: readonly PatternPart[];
}

const SENTENCE =
  /^(?:(anonymous|anyone)|role (\S+)|anyone without role (\S+)|anyone without scope (\S+)) reaches (.+)$/u;

/** @throws TypeError for a sentence that is none, naming what there is */
export function parseStatement(text: string): Statement {
  const found = SENTENCE.exec(text);
  if (found === null) {
    throw didNotFit(
      text,
      "`anonymous reaches /admin/*`, with `anonymous`, `anyone`, `role NAME`, `anyone without role NAME` or " +
        "`anyone without scope NAME`, and a method in front of the path where it is about one",
    );
  }
  const [, who, role, withoutRole, withoutScope, reaches = ""] = found;
  if (role !== undefined) return { who: { role }, reaches };
  if (withoutRole !== undefined) return { who: { withoutRole }, reaches };
  if (withoutScope !== undefined) return { who: { withoutScope }, reaches };
  return { who: who === "anonymous" ? "anonymous" : "anyone", reaches };
}

/** @throws TypeError for a role that the policy does not declare: a typo would hold for ever */
export function checkWho(who: Who, policy: ResolvedPolicy): void {
  if (typeof who !== "object") return;
  const role = "role" in who ? who.role : "withoutRole" in who ? who.withoutRole : undefined;
  if (role === undefined || policy.roles.has(role)) return;
  const help = didYouMean(role, policy.roles.keys()) ?? "name one of `roles`";
  throw new TypeError(`the policy declares no role \`${role}\`: ${help}`);
}

/** @throws TypeError for what is no method and path */
export function parseDestination(reaches: string): Destination {
  const space = reaches.indexOf(" ");
  const path = reaches.slice(space + 1);
  const parts = parsePath(path);
  if (isKeyProblem(parts)) throw new TypeError(`${parts.problem}: ${parts.help}`);
  if (space === -1) return { methods: undefined, parts };
  const methods = reaches.slice(0, space).split("|");
  const strange = methods.find((method) => !/^[A-Z-]+$/u.test(method));
  if (strange !== undefined) throw didNotFit(strange, "methods in upper case, as in `PUT|PATCH /orders/:id`");
  return { methods, parts };
}

/** Whether a request that was admitted has gone there: by the path that it names, not by the route that let it in. */
export function isThere({ methods, parts }: Destination, method: string, target: string): boolean {
  if (methods !== undefined && !methods.includes(method)) return false;
  const path = target.replace(/^https?:\/\/[^/]*/u, "").replace(/\?.*$/u, "");
  const segments = path.slice(1).split("/").map(decoded);
  return fits(parts, segments);
}

function fits(parts: readonly PatternPart[], segments: readonly string[]): boolean {
  if (parts.at(-1)?.kind === "rest") {
    if (segments.length < parts.length) return false;
  } else if (segments.length !== parts.length) return false;
  return parts.every((part, index) => part.kind !== "static" || part.text === segments[index]);
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Whether some request fits both patterns, as far as their static texts and lengths tell. */
export function overlaps(a: readonly PatternPart[], b: readonly PatternPart[]): boolean {
  const open = (parts: readonly PatternPart[]): boolean => parts.at(-1)?.kind === "rest";
  if (!open(a) && !open(b) && a.length !== b.length) return false;
  if (open(a) && !open(b) && b.length < a.length) return false;
  if (open(b) && !open(a) && a.length < b.length) return false;
  return a.every((part, index) => {
    const other = b[index];
    return part.kind !== "static" || other?.kind !== "static" || part.text === other.text;
  });
}
