/** What an application has registered beside what its policy names: the gaps on either side. */
import type { PatternPart, ResolvedPolicy, ResolvedRoute } from "../model/resolved.js";
import type { Reading } from "./reading.js";

/** A route as a framework knows it. */
export interface RegisteredRoute {
  /** Upper case. */
  readonly methods: readonly string[];
  /** As the application wrote it: for messages. */
  readonly path: string;
  /**
   * The same path in the policy's notation (`/orders/:id`, `/files/*`). Undefined where it cannot be said: a regular
   * expression, a part of a segment.
   */
  readonly pattern: string | undefined;
}

/** A route that no policy route names: every request to it is refused. */
export interface UnnamedRoute {
  readonly method: string;
  readonly path: string;
}

/** A route of which the policy decides some requests by another rule than the application's author would think. */
export interface DifferingRoute extends UnnamedRoute {
  /** Keys of the policy's routes that decide requests to it. */
  readonly decidedBy: readonly string[];
  readonly reason: string;
}

export interface RouteInventory {
  readonly unnamed: readonly UnnamedRoute[];
  /** Keys of policy routes that nothing serves. */
  readonly unserved: readonly string[];
  readonly differing: readonly DifferingRoute[];
}

/** Which of several routes that fit a path a framework runs: the most specific, or the one that was registered first. */
export type Precedence = "specificity" | "order";

interface Candidate {
  readonly place: number;
  readonly method: string;
  readonly path: string;
  readonly parts: readonly PatternPart[];
}

/** @param parse the policy's own reading of a path pattern; undefined for one that it cannot read */
export function takeInventory(
  policy: ResolvedPolicy,
  reading: Reading,
  registered: readonly RegisteredRoute[],
  precedence: Precedence,
  parse: (pattern: string) => readonly PatternPart[] | undefined,
): RouteInventory {
  const unnamed: UnnamedRoute[] = [];
  const differing: DifferingRoute[] = [];
  const served = new Set<ResolvedRoute>();
  const candidates: Candidate[] = [];
  for (const { methods, path, pattern } of registered) {
    const parts = pattern === undefined ? undefined : parse(pattern);
    for (const method of methods) {
      if (parts !== undefined) candidates.push({ place: candidates.length, method, path, parts });
      else differing.push({ method, path, decidedBy: [], reason: UNREADABLE });
    }
  }
  for (const candidate of candidates) {
    const { method, path, parts } = candidate;
    const met = policy.routes.filter(
      (route) => answers(route, method) && overlap(route.pattern, parts, reading),
    );
    const same = met.find((route) => isSame(route.pattern, parts, reading));
    if (same !== undefined) {
      served.add(same);
      continue;
    }
    // Requests that another handler takes, one of the policy's own shape, are no matter of this one.
    const left = met.filter((route) => {
      const twin = twinOf(route, method, candidates, reading);
      return twin === undefined || !goesFirst(twin, candidate, precedence);
    });
    for (const route of left) served.add(route);
    if (left.length === 0) unnamed.push({ method, path });
    else if (!isMeant(left, parts, reading)) {
      differing.push({ method, path, decidedBy: left.map(({ key }) => key), reason: ELSEWHERE });
    }
  }
  const unserved = policy.routes.filter((route) => !served.has(route)).map(({ key }) => key);
  return { unnamed, unserved, differing };
}

/** A `*` says on either side that all below is meant: of the policy's one rule for all of it, of the application's one handler. */
function isMeant(left: readonly ResolvedRoute[], parts: readonly PatternPart[], reading: Reading): boolean {
  if (parts.at(-1)?.kind === "rest") return true;
  const [only] = left;
  return left.length === 1 && only?.pattern.at(-1)?.kind === "rest" && covers(only.pattern, parts, reading);
}

const UNREADABLE =
  "its path cannot be compared with a policy's: it is a regular expression or has parts of segments";
const ELSEWHERE = "the policy has no route of this shape, and decides requests to it by another";

/** One line for each gap, as an operator reads it; empty when there is none. */
export function inventoryProblems({ unnamed, unserved, differing }: RouteInventory): readonly string[] {
  return [
    ...unnamed.map(
      ({ method, path }) =>
        `\`${method} ${path}\` is registered, and no route of the policy names it: it is refused`,
    ),
    ...unserved.map((key) => `\`${key}\` is a route of the policy, and nothing serves it`),
    ...differing.map(({ method, path, decidedBy, reason }) => {
      const by = decidedBy.length === 0 ? "" : ` (${decidedBy.map((key) => `\`${key}\``).join(", ")})`;
      return `\`${method} ${path}\`: ${reason}${by}`;
    }),
  ];
}

/** HEAD is GET's, where no route names it. */
function answers(route: ResolvedRoute, method: string): boolean {
  return route.methods.includes(method) || (method === "HEAD" && route.methods.includes("GET"));
}

function twinOf(
  route: ResolvedRoute,
  method: string,
  candidates: readonly Candidate[],
  reading: Reading,
): Candidate | undefined {
  return candidates.find((other) => other.method === method && isSame(route.pattern, other.parts, reading));
}

const RANK = { static: 0, param: 1, rest: 2 } as const;

function goesFirst(one: Candidate, other: Candidate, precedence: Precedence): boolean {
  if (precedence === "order") return one.place < other.place;
  for (const [index, part] of one.parts.entries()) {
    const beside = other.parts[index];
    if (beside === undefined || beside.kind !== part.kind) {
      return RANK[part.kind] < (beside === undefined ? RANK.rest : RANK[beside.kind]);
    }
  }
  return false;
}

function trimmed(parts: readonly PatternPart[], reading: Reading): readonly PatternPart[] {
  const last = parts.at(-1);
  const slash = last?.kind === "static" && last.text === "" && parts.length > 1;
  return slash && reading.ignoresSlash ? parts.slice(0, -1) : parts;
}

/** The same paths fit both. */
function isSame(a: readonly PatternPart[], b: readonly PatternPart[], reading: Reading): boolean {
  const left = trimmed(a, reading);
  const right = trimmed(b, reading);
  if (left.length !== right.length) return false;
  return left.every((part, index) => {
    const other = right[index];
    if (other?.kind !== part.kind) return false;
    return part.kind !== "static" || sameText(part, other, reading);
  });
}

/** Some path fits both. */
function overlap(a: readonly PatternPart[], b: readonly PatternPart[], reading: Reading): boolean {
  return pairwise(a, b, reading, (left, right) => {
    if (left.kind === "static" && right.kind === "static") return sameText(left, right, reading);
    return !isEmpty(left) && !isEmpty(right);
  });
}

/** Every path that fits `inner` fits `outer`. */
function covers(outer: readonly PatternPart[], inner: readonly PatternPart[], reading: Reading): boolean {
  return pairwise(outer, inner, reading, (left, right) => {
    if (left.kind !== "static") return !isEmpty(right);
    return right.kind === "static" && sameText(left, right, reading);
  });
}

/** Segment by segment; a `*` on either side takes one segment or more of the other. */
function pairwise(
  a: readonly PatternPart[],
  b: readonly PatternPart[],
  reading: Reading,
  fits: (left: PatternPart, right: PatternPart) => boolean,
): boolean {
  const left = trimmed(a, reading);
  const right = trimmed(b, reading);
  for (let index = 0; ; index += 1) {
    const one = left[index];
    const other = right[index];
    if (one?.kind === "rest") return other !== undefined;
    if (other?.kind === "rest") return one !== undefined;
    if (one === undefined || other === undefined) return one === other;
    if (!fits(one, other)) return false;
  }
}

function isEmpty(part: PatternPart): boolean {
  return part.kind === "static" && part.text === "";
}

function sameText(a: PatternPart, b: PatternPart, reading: Reading): boolean {
  return a.kind === "static" && b.kind === "static" && reading.fold(a.text) === reading.fold(b.text);
}
