/**
 * What an exchange contradicts, said from the answers alone: nothing here knows how verdicts come about. A verdict says which way an
 * exchange may differ, and one that differs otherwise is a defect.
 */
import type { PolicyResult } from "@gatehouse/core/testing";
import type { AspectDiff, PolicyDiff, RouteDiff } from "gatehouse";

type Direction = "wider" | "narrower";

/** By stage: of which aspect a refusal is. */
const ASPECT_OF: Readonly<Record<string, AspectDiff["aspect"]>> = {
  "global-limit": "limits",
  transport: "transport",
  route: "routing",
  cors: "cors",
  "limit-connection": "limits",
  authenticate: "authentication",
  csrf: "csrf",
  "limit-principal": "limits",
  parameters: "request",
  "limit-parameters": "limits",
  authorize: "authorization",
  body: "request",
  validate: "request",
  sanitize: "request",
  revalidate: "request",
  "limit-body": "limits",
  "authorize-body": "authorization",
  check: "authorization",
};
const ORDER = Object.keys(ASPECT_OF);
/** Which of an aspect's stages is the last. */
const LAST: ReadonlyMap<string, number> = new Map(ORDER.map((stage, at) => [ASPECT_OF[stage] ?? "", at]));

export interface Contradiction {
  readonly row: string;
  readonly aspect: string;
  readonly verdict: string;
  readonly direction: Direction;
  readonly what: string;
}

export function rowFor(diff: PolicyDiff, old: string | null, fresh: string | null): RouteDiff | undefined {
  return diff.routes.find((row) => row.old === old && row.new === fresh);
}

function nameOf(old: string | null, fresh: string | null): string {
  return `${old ?? "none"} -> ${fresh ?? "none"}`;
}

const ALLOWS: Readonly<Record<Direction, ReadonlySet<string>>> = {
  wider: new Set(["wider", "changed both ways", "undecided"]),
  narrower: new Set(["narrower", "changed both ways", "undecided"]),
};

function verdictOf(row: RouteDiff, aspect: string): string | undefined {
  return row.aspects.find((one) => one.aspect === aspect)?.verdict;
}

interface Half {
  readonly result: PolicyResult;
  readonly stage: string | undefined;
  readonly observes: boolean;
}

function halfOf(result: PolicyResult): Half {
  const { decision } = result;
  if (decision.outcome === "refuse") return { result, stage: decision.stage, observes: false };
  const [observed] = decision.outcome === "admit" ? (decision.observed ?? []) : [];
  return { result, stage: observed?.stage, observes: observed !== undefined };
}

export interface Modes {
  /** Whether the route observes, by key. */
  readonly old: ReadonlyMap<string, boolean>;
  readonly new: ReadonlyMap<string, boolean>;
}

/** Routes to which a request leads. */
export interface Keys {
  readonly old: string | null;
  readonly new: string | null;
}

/**
 * All that the exchange says against the verdicts.
 * @param keys of the row: a preflight's is that of the method which it asks for, and an answer names no route where that one observes
 */
export function contradictions(
  diff: PolicyDiff,
  before: PolicyResult,
  after: PolicyResult,
  modes: Modes,
  keys: Keys,
): readonly Contradiction[] {
  const old = halfOf(before);
  const fresh = halfOf(after);
  // Who cannot be read is nobody's row.
  if (old.stage === "normalize" || fresh.stage === "normalize") return [];
  const row = rowFor(diff, keys.old, keys.new);
  if (row === undefined)
    return [
      {
        row: nameOf(keys.old, keys.new),
        aspect: "routing",
        verdict: "no such row",
        direction: "wider",
        what: "an exchange of no row",
      },
    ];
  const found: Contradiction[] = [];
  const add = (aspect: string, direction: Direction, what: string): void => {
    const verdict = aspect === "whole" ? row.verdict : verdictOf(row, aspect);
    if (verdict === undefined || ALLOWS[direction].has(verdict)) return;
    found.push({ row: nameOf(row.old, row.new), aspect, verdict, direction, what });
  };
  if (!isPreflight(before)) byStage(old, fresh, add);
  byWire(old, fresh, add);
  byPrincipal(before, after, add);
  const enforced = !modes.old.get(keys.old ?? "") && !modes.new.get(keys.new ?? "");
  if (enforced) {
    byOrigin(before, after, add);
    byAnswer(before, after, add);
    byWords(old, fresh, add);
  }
  if (row.verdict === "same" && !alike(before, after))
    found.push({
      row: nameOf(row.old, row.new),
      aspect: "whole",
      verdict: "same",
      direction: "wider",
      what: `another answer: ${told(before)} and ${told(after)}`,
    });
  return found;
}

type Add = (aspect: string, direction: Direction, what: string) => void;

/** One refuses at a stage, the other gets beyond all stages of that aspect. */
function byStage(old: Half, fresh: Half, add: Add): void {
  const oneWay = (refused: Half, other: Half, direction: Direction): void => {
    const aspect = ASPECT_OF[refused.stage ?? ""];
    if (aspect === undefined || aspect === "limits") return;
    const last = LAST.get(aspect) ?? 0;
    const beyond =
      other.stage === undefined ? other.result.outcome === "admit" : ORDER.indexOf(other.stage) > last;
    if (beyond) add(aspect, direction, `${told(old.result)} and ${told(fresh.result)}`);
  };
  oneWay(old, fresh, "wider");
  oneWay(fresh, old, "narrower");
}

/** What a caller notices: served or not. */
function byWire(old: Half, fresh: Half, add: Add): void {
  const served = ({ result }: Half): boolean => result.outcome === "admit";
  const what = `${told(old.result)} and ${told(fresh.result)}`;
  if (!served(old) && served(fresh)) add("whole", "wider", what);
  if (served(old) && !served(fresh)) add("whole", "narrower", what);
  if (old.stage !== undefined && old.stage === fresh.stage && old.observes !== fresh.observes)
    add("mode", fresh.observes ? "wider" : "narrower", what);
}

/** What the handlers read of the same principal. */
function byPrincipal(before: PolicyResult, after: PolicyResult, add: Add): void {
  const a = before.handler?.principal ?? undefined;
  const b = after.handler?.principal ?? undefined;
  if (a === undefined || b === undefined || a.authenticator !== b.authenticator) return;
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const [x, y] = [a[name], b[name]].map((value) => JSON.stringify(value));
    const sets = name === "roles" || name === "scopes";
    if (sets ? !b[name].every((one) => a[name].includes(one)) : y !== undefined && x !== y)
      add("authorization", "wider", `the handler's principal: ${name}`);
    if (sets ? !a[name].every((one) => b[name].includes(one)) : x !== undefined && x !== y)
      add("authorization", "narrower", `the handler's principal: ${name}`);
  }
}

/** The method that a preflight asks for. */
export function askedMethod({ request }: PolicyResult): string | undefined {
  if (request.method !== "OPTIONS") return undefined;
  return request.headers.find(([name]) => name.toLowerCase() === "access-control-request-method")?.[1];
}

function isPreflight(result: PolicyResult): boolean {
  return askedMethod(result) !== undefined;
}

function originOf({ request }: PolicyResult): string | undefined {
  return request.headers.find(([name]) => name.toLowerCase() === "origin")?.[1];
}

function byOrigin(before: PolicyResult, after: PolicyResult, add: Add): void {
  const origin = originOf(before);
  // Where the policy is silent the handler's own fields leave, if it runs.
  if (origin === undefined || (before.outcome === "admit") !== (after.outcome === "admit")) return;
  // A preflight that is turned away before its origin is looked at is told of where it was.
  const turnedAway = ({ outcome, stage }: PolicyResult): boolean =>
    outcome === "refuse" && (stage === "transport" || stage === "global-limit");
  if (isPreflight(before) && (turnedAway(before) || turnedAway(after))) {
    if (turnedAway(before) && !turnedAway(after) && before.stage === "transport")
      add("transport", "wider", "a preflight");
    if (turnedAway(after) && !turnedAway(before) && after.stage === "transport")
      add("transport", "narrower", "a preflight");
    return;
  }
  // What is withheld takes its fields with it: that is told of the answer. No handler here answers so itself.
  if (before.status >= 500 !== after.status >= 500) {
    add("response", after.status < 500 ? "wider" : "narrower", "the whole answer");
    return;
  }
  // Fetch, CORS-preflight fetch: no page reads the answer to a preflight, and one that is refused grants nothing.
  const readable = ({ headers, status }: PolicyResult): boolean =>
    ["*", origin].includes(headers["access-control-allow-origin"] ?? "") &&
    (!isPreflight(before) || status < 300);
  const remembered = ({ headers }: PolicyResult): number => Number(headers["access-control-max-age"] ?? 5);
  const credentials = (one: PolicyResult): boolean =>
    readable(one) && one.headers["access-control-allow-credentials"] === "true";
  const both = (rank: (one: PolicyResult) => number, what: string): void => {
    if (rank(after) > rank(before)) add("cors", "wider", what);
    if (rank(after) < rank(before)) add("cors", "narrower", what);
  };
  both((one) => Number(readable(one)), "the origin may read");
  both((one) => Number(credentials(one)), "with credentials");
  if (isPreflight(before) && readable(before) && readable(after)) {
    both(remembered, "remembered");
    const asked = before.request.headers.find(
      ([name]) => name.toLowerCase() === "access-control-request-headers",
    )?.[1];
    const grants = (one: PolicyResult): number =>
      Number(
        asked === undefined ||
          (one.headers["access-control-allow-headers"] ?? "").toLowerCase().split(", ").includes(asked),
      );
    both(grants, "may send the header");
  }
}

/** Each text of the handler's that leaves. */
function byAnswer(before: PolicyResult, after: PolicyResult, add: Add): void {
  // A handler's own 404 is concealed where refusals are.
  if (
    before.outcome !== "admit" ||
    after.outcome !== "admit" ||
    before.status === 404 ||
    after.status === 404
  )
    return;
  for (const text of [
    "text-id",
    "text-secret-long",
    "text-a",
    "text-b",
    "text-more",
    "17",
    "17.5",
    "seventeen",
    "deep",
    "secret",
    "***long",
  ]) {
    // Who reads the whole text reads the end of it.
    const forms = text === "***long" ? [text, "text-secret-long"] : [text];
    const leaves = (one: PolicyResult): boolean =>
      (one.status < 500 && forms.some((form) => one.text.includes(`"${form}"`))) ||
      (/^\d/u.test(text) && one.status < 500 && new RegExp(`[:[]${text}[,}\\]]`, "u").test(one.text));
    if (!leaves(before) && leaves(after)) add("response", "wider", text);
    if (leaves(before) && !leaves(after)) add("response", "narrower", text);
  }
  for (const name of ["x-frame-options", "server", "content-security-policy", "cache-control"]) {
    if (before.status !== after.status || before.headers[name] === after.headers[name]) continue;
    add("headers", ...orders(name, before, after));
  }
}

/** A field of the policy's that is gone, or the handler's own that leaves, is more; two values are both. */
function orders(name: string, before: PolicyResult, after: PolicyResult): readonly [Direction, string] {
  const rank = ({ headers }: PolicyResult): number =>
    headers[name] === undefined ? 1 : headers[name] === "theirs" ? 2 : 0;
  return [rank(after) >= rank(before) ? "wider" : "narrower", name];
}

/** The same refusal in other words. */
function byWords(old: Half, fresh: Half, add: Add): void {
  const { result: a } = old;
  const { result: b } = fresh;
  if (a.outcome !== "refuse" || b.outcome !== "refuse" || old.stage !== fresh.stage) return;
  if (a.concealed === undefined && b.concealed === undefined) {
    const code = (one: PolicyResult): boolean => one.text.includes('"code"');
    if (!code(a) && code(b)) add("errors", "wider", "the code is told");
    if (code(a) && !code(b)) add("errors", "narrower", "the code is told");
  }
  if (a.concealed !== undefined && b.concealed === undefined && b.status === 403)
    add("errors", "wider", "not concealed");
  if (b.concealed !== undefined && a.concealed === undefined && a.status === 403)
    add("errors", "narrower", "concealed");
}

/**
 * Whole, but for what differs from one exchange to the next, and for the list of methods in the answer to a preflight, which tells of
 * other routes at the path too.
 */
export function alike(a: PolicyResult, b: PolicyResult): boolean {
  return plain(a) === plain(b) && told(a) === told(b);
}

function plain(one: PolicyResult): string {
  const { outcome, stage, code, status, route, fields, text, handler } = one;
  const sent = fields
    .filter(([name]) => !/^(?:x-request-id|access-control-allow-methods)$/iu.test(name))
    .map(([name, value]) => `${name}: ${value}`);
  const read =
    handler === undefined
      ? undefined
      : [
          handler.params,
          handler.query,
          handler.headers,
          handler.body,
          handler.principal === null
            ? null
            : { ...handler.principal, roles: [...handler.principal.roles].sort() },
        ];
  return JSON.stringify([outcome, stage, code, status, route, sent.sort(), text, read]).replaceAll(
    /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}/gu,
    "id",
  );
}

/** With what an observed route would have refused. */
export function told({ outcome, stage, code, status, decision }: PolicyResult): string {
  const [observed] = decision.outcome === "admit" ? (decision.observed ?? []) : [];
  return [outcome, status, code, stage, observed?.code, observed?.stage]
    .filter((one) => one !== undefined)
    .join(" ");
}
