/** What an exchange shows: that one side lets more pass, or more out, than the other. */
import type { HeaderField, Principal, StageName } from "@gatehouse/core";
import type { PolicyResult } from "@gatehouse/core/testing";
import { challengesAlike } from "./answers.js";
import { rankOf, type Exchange, type Seen } from "./duel.js";
import type { Aspect, Pair } from "./model.js";
import { isOf, isPreflightOf, sameShape } from "./pairs.js";

export interface Shown {
  readonly wider: boolean;
  readonly narrower: boolean;
}

const ASKED_METHOD = "access-control-request-method";
const NOTHING: Shown = { wider: false, narrower: false };

const STAGES_OF = {
  routing: ["route"],
  transport: ["transport"],
  authentication: ["authenticate"],
  csrf: ["csrf"],
  limits: ["global-limit", "limit-connection", "limit-principal", "limit-parameters", "limit-body"],
  request: ["parameters", "body", "validate", "sanitize", "revalidate"],
  authorization: ["authorize", "authorize-body", "check"],
} as const satisfies Partial<Record<Aspect, readonly StageName[]>>;

export function evidence(aspect: Aspect, pair: Pair, exchange: Exchange): Shown {
  const { old, new: fresh } = exchange;
  if (old.refusedAt === "normalize" || fresh.refusedAt === "normalize") return NOTHING;
  if (!isTelling(aspect, pair, exchange)) return NOTHING;
  const enforced = pair.old.route.mode === "enforce" && pair.new.route.mode === "enforce";
  switch (aspect) {
    case "mode":
      return compare(wireRank(old), wireRank(fresh));
    case "cors":
      return enforced ? corsEvidence(exchange, correlationsOf(pair)) : NOTHING;
    case "response":
      return enforced && !concealed(pair, exchange) ? responseEvidence(exchange) : NOTHING;
    case "headers":
      return enforced ? headersEvidence(exchange, correlationsOf(pair)) : NOTHING;
    case "errors":
      return enforced ? errorsEvidence(exchange, pair) : NOTHING;
    case "routing":
      return routingEvidence(pair, exchange);
    case "limits":
      // Counters are fresh: only sequences tell.
      return NOTHING;
    case "record":
      // No answer shows what is written of it.
      return NOTHING;
    case "request":
      return both(stageEvidence("request", exchange), inputEvidence(exchange));
    case "authorization":
      return both(stageEvidence("authorization", exchange), principalEvidence(exchange));
    default:
      return stageEvidence(aspect, exchange);
  }
}

/** The handler's own 404 is no answer of its own then: that is told of `errors`. */
function concealed({ old, new: fresh }: Pair, { candidate }: Exchange): boolean {
  return candidate.answer?.status === 404 && (old.route.conceal || fresh.route.conceal);
}

/** Fields with an id of their own in every exchange. */
function correlationsOf({ old, new: fresh }: Pair): ReadonlySet<string> {
  return new Set([old, fresh].flatMap(({ route }) => route.errors.correlation?.toLowerCase() ?? []));
}

function isTelling(aspect: Aspect, pair: Pair, exchange: Exchange): boolean {
  const { method, target, headers } = exchange.candidate.request;
  const asked = method === "OPTIONS" ? fieldsOf(headers).get(ASKED_METHOD) : undefined;
  if (asked === undefined) return isOf(pair, exchange);
  return aspect === "cors" && isPreflightOf(pair, asked, target);
}

function both(a: Shown, b: Shown): Shown {
  return { wider: a.wider || b.wider, narrower: a.narrower || b.narrower };
}

function compare(old: number | undefined, fresh: number | undefined): Shown {
  if (old === undefined || fresh === undefined) return NOTHING;
  return { wider: fresh > old, narrower: fresh < old };
}

function stageEvidence(aspect: keyof typeof STAGES_OF, { old, new: fresh }: Exchange): Shown {
  return compare(standing(old, STAGES_OF[aspect]), standing(fresh, STAGES_OF[aspect]));
}

const FAULTS: ReadonlySet<string | undefined> = new Set([
  "internal-error",
  "unavailable",
  "capacity-reduced",
]);

/** 0: refused by these stages; 1: redirected; 2: let pass by all of them; undefined: not asked, or not all of them. */
function standing({ result, refusedAt, code }: Seen, stages: readonly StageName[]): number | undefined {
  if (refusedAt !== undefined) {
    if (stages.includes(refusedAt)) return FAULTS.has(code) ? undefined : 0;
    return stages.every((stage) => rankOf(stage) < rankOf(refusedAt)) ? 2 : undefined;
  }
  if (result.outcome === "admit") return 2;
  const transport = stages.includes("transport");
  if (result.status === 308) return transport ? 1 : undefined;
  return transport || stages.includes("route") ? 2 : undefined;
}

/** What went over the wire, where something was refused or would have been. */
function wireRank({ result, refusedAt }: Seen): number | undefined {
  if (refusedAt === undefined) return undefined;
  return result.outcome === "refuse" ? 0 : 1;
}

function routingEvidence(pair: Pair, exchange: Exchange): Shown {
  const { old, new: fresh } = pair;
  if (old.matched && fresh.matched) {
    const moved = !sameShape(old.route.pattern, fresh.route.pattern);
    return { wider: moved, narrower: moved };
  }
  if (old.matched || fresh.matched) return stageEvidence("routing", exchange);
  return exchange.old.refusedAt === "route" && exchange.new.refusedAt === "route"
    ? toldEvidence(exchange)
    : NOTHING;
}

/** 405 tells which methods a path has; 404 tells of none. */
function toldEvidence({ old, new: fresh }: Exchange): Shown {
  const before = listOf(old.result.headers["allow"]);
  const after = listOf(fresh.result.headers["allow"]);
  return {
    wider: after.some((method) => !before.includes(method)),
    narrower: before.some((method) => !after.includes(method)),
  };
}

/** A handler that reads more than was asked for, or markup that is cut elsewhere. */
function inputEvidence({ old, new: fresh }: Exchange): Shown {
  const a = old.result.handler;
  const b = fresh.result.handler;
  if (a === undefined || b === undefined || old.refusedAt !== undefined || fresh.refusedAt !== undefined)
    return NOTHING;
  return both(
    containment(a.body, b.body),
    a.queryValidated && b.queryValidated ? containment(a.query, b.query) : NOTHING,
  );
}

/** A handler that is told of more roles, or more else, of the same principal. */
function principalEvidence({ old, new: fresh }: Exchange): Shown {
  const a = old.result.handler?.principal ?? undefined;
  const b = fresh.result.handler?.principal ?? undefined;
  return a === undefined || b === undefined ? NOTHING : toldOf(a, b);
}

function toldOf(a: Principal, b: Principal): Shown {
  if (a.authenticator !== b.authenticator) return NOTHING;
  const before = factsOf(a);
  const after = factsOf(b);
  const other = [...before].some(([pointer, value]) => after.has(pointer) && after.get(pointer) !== value);
  const own = other ? { wider: true, narrower: true } : contained(before, after);
  return both(own, besideOf(a.with ?? {}, b.with ?? {}));
}

type Beside = NonNullable<Principal["with"]>;

function besideOf(a: Beside, b: Beside): Shown {
  let shown = NOTHING;
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const [before, after] = [a[name], b[name]];
    const one =
      before === undefined || after === undefined
        ? { wider: before === undefined, narrower: after === undefined }
        : toldOf(before, after);
    shown = both(shown, one);
  }
  return shown;
}

/** Lists of roles and scopes are sets: each is a leaf of its own. */
function factsOf({ roles, scopes, with: _beside, ...rest }: Principal): ReadonlyMap<string, unknown> {
  const members = (names: readonly string[]): unknown => Object.fromEntries(names.map((name) => [name, 1]));
  return leavesOf({ ...rest, roles: members(roles), scopes: members(scopes) });
}

function containment(a: unknown, b: unknown): Shown {
  if (a === undefined || b === undefined) return NOTHING;
  return contained(leavesOf(a), leavesOf(b));
}

function contained(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>): Shown {
  const missing = [...before.keys()].some((pointer) => !after.has(pointer));
  const added = [...after.keys()].some((pointer) => !before.has(pointer));
  return { wider: added, narrower: missing };
}

function leavesOf(value: unknown, pointer = "", found = new Map<string, unknown>()): Map<string, unknown> {
  if (typeof value === "object" && value !== null) {
    found.set(`${pointer}/`, null);
    for (const [key, member] of Object.entries(value)) leavesOf(member, `${pointer}/${key}`, found);
  } else if (value !== undefined) found.set(pointer, value);
  return found;
}

function corsEvidence(exchange: Exchange, ids: ReadonlySet<string>): Shown {
  const { old, new: fresh, candidate } = exchange;
  const asked = fieldsOf(candidate.request.headers);
  if (!asked.has("origin")) return NOTHING;
  // What is turned away before anybody asks for its origin is told of elsewhere.
  if (asked.has(ASKED_METHOD) && [old, fresh].some(isTurnedAway)) return NOTHING;
  const enforced = stageEnforced(exchange);
  // Where the policy is silent the handler's own fields leave, if it runs.
  if (leaves(old) !== leaves(fresh)) return enforced;
  const before = grantsOf(old, asked, ids);
  const after = grantsOf(fresh, asked, ids);
  return both(enforced, {
    wider: [...after].some(([grant, value]) => value > (before.get(grant) ?? -1)),
    narrower: [...before].some(([grant, value]) => value > (after.get(grant) ?? -1)),
  });
}

function isTurnedAway({ refusedAt }: Seen): boolean {
  return refusedAt !== undefined && rankOf(refusedAt) < rankOf("route");
}

/** An answer that is withheld takes its fields with it. */
function leaves({ result }: Seen): boolean {
  return result.outcome === "admit" && result.status < 500;
}

function stageEnforced({ old, new: fresh }: Exchange): Shown {
  return compare(enforcedRank(old), enforcedRank(fresh));
}

function enforcedRank({ result, refusedAt }: Seen): number | undefined {
  if (refusedAt === "cors") return 0;
  if (refusedAt !== undefined) return rankOf(refusedAt) > rankOf("cors") ? 1 : undefined;
  return result.outcome === "admit" || result.status === 204 ? 1 : undefined;
}

/** Names that the policy itself sends, and exposes because of it. */
const OWN = new Set([
  "ratelimit",
  "ratelimit-policy",
  "retry-after",
  "www-authenticate",
  "deprecation",
  "sunset",
]);

/** What a page of the origin may do; numbers where more of it is more. */
function grantsOf(
  { result }: Seen,
  asked: ReadonlyMap<string, string>,
  ids: ReadonlySet<string>,
): ReadonlyMap<string, number> {
  const grants = new Map<string, number>();
  const { headers } = result;
  const origin = headers["access-control-allow-origin"];
  if (origin === undefined || (origin !== "*" && origin !== asked.get("origin"))) return grants;
  const method = asked.get(ASKED_METHOD);
  if (method === undefined) {
    grants.set("read", 0);
    if (headers["access-control-allow-credentials"] === "true") grants.set("credentials", 0);
    for (const name of listOf(headers["access-control-expose-headers"]))
      if (!OWN.has(name) && !ids.has(name)) grants.set(`expose ${name}`, 0);
    return grants;
  }
  if (!listOf(headers["access-control-allow-methods"]).includes(method.toLowerCase())) return grants;
  const allowed = new Set(listOf(headers["access-control-allow-headers"]));
  if (listOf(asked.get("access-control-request-headers")).some((name) => !allowed.has(name))) return grants;
  grants.set("send", 0);
  if (headers["access-control-allow-credentials"] === "true") grants.set("send with credentials", 0);
  grants.set("remember", Number(headers["access-control-max-age"] ?? 5));
  return grants;
}

function listOf(text: string | undefined): readonly string[] {
  return (text ?? "")
    .split(",")
    .map((one) => one.trim().toLowerCase())
    .filter((one) => one !== "");
}

function fieldsOf(
  headers: Readonly<Record<string, string | readonly string[]>> | undefined,
): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(headers ?? {}).map(([name, value]) => [
      name.toLowerCase(),
      typeof value === "string" ? value : value.join(", "),
    ]),
  );
}

/** Of what the handler wrote: how much of each value left. */
function responseEvidence({ candidate, old, new: fresh }: Exchange): Shown {
  if (old.result.outcome !== "admit" || fresh.result.outcome !== "admit") return NOTHING;
  const { answer } = candidate;
  if (answer === undefined || !("body" in answer)) return NOTHING;
  const given = leavesOf(answer.body);
  const before = leftOf(old, given);
  const after = leftOf(fresh, given);
  // Without its body it leaves all the same.
  let shown = compare(isWithheld(old) ? 0 : 1, isWithheld(fresh) ? 0 : 1);
  for (const pointer of given.keys())
    shown = both(shown, compare(before.get(pointer) ?? 0, after.get(pointer) ?? 0));
  return shown;
}

/** The error shape stands in its place. */
function isWithheld({ result }: Pick<Seen, "result">): boolean {
  return result.status >= 500;
}

function leftOf({ result }: Seen, given: ReadonlyMap<string, unknown>): ReadonlyMap<string, number> {
  if (isWithheld({ result })) return new Map();
  const left = leavesOf(result.body);
  const ranks = new Map<string, number>();
  for (const [pointer, value] of given) {
    if (!left.has(pointer)) continue;
    ranks.set(pointer, rankOfValue(left.get(pointer), value));
  }
  return ranks;
}

/** In the order of the language, strictest first. */
function rankOfValue(left: unknown, given: unknown): number {
  if (left === given) return 7;
  if (left === null) return 1;
  if (left === "***") return 3;
  if (typeof left !== "string") return 2;
  if (/^[A-Za-z0-9_-]{43}$/u.test(left)) return 4;
  return left.startsWith("***") ? 5 : 2;
}

/** Of other parts of the policy, or of one exchange alone. */
const ELSEWHERE =
  /^(?:access-control-|ratelimit|retry-after|www-authenticate|vary|content-(?!security)|x-request-id|allow$|location|date|etag|connection|transfer-encoding|set-cookie)/u;

function headersEvidence({ old, new: fresh, candidate }: Exchange, ids: ReadonlySet<string>): Shown {
  // Refusals carry fields of their own: only answers of one kind are compared.
  if (old.result.outcome !== fresh.result.outcome || old.result.status !== fresh.result.status)
    return NOTHING;
  if (old.result.outcome === "answer") return NOTHING;
  const theirs = fieldsOf(candidate.answer?.headers);
  const before = sentFields(old.result.fields);
  const after = sentFields(fresh.result.fields);
  let shown = NOTHING;
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const a = before.get(name);
    const b = after.get(name);
    if (a === b || ids.has(name)) continue;
    const own = old.result.outcome === "admit" ? theirs.get(name) : undefined;
    shown = both(shown, fieldEvidence(a, b, own));
  }
  return shown;
}

/** A restraint that is gone, or the handler's own field that leaves. */
function fieldEvidence(a: string | undefined, b: string | undefined, theirs: string | undefined): Shown {
  const rank = (value: string | undefined): number => (value === undefined ? 1 : value === theirs ? 2 : 0);
  if (rank(a) !== rank(b)) return compare(rank(a), rank(b));
  return { wider: true, narrower: true };
}

function sentFields(fields: readonly HeaderField[]): ReadonlyMap<string, string> {
  const sent = new Map<string, string>();
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    if (!ELSEWHERE.test(lower)) sent.set(lower, value);
  }
  return sent;
}

const CHALLENGE = "www-authenticate";

/** The same refusal, told in other words. */
function errorsEvidence({ old, new: fresh }: Exchange, pair: Pair): Shown {
  const { result: a } = old;
  const { result: b } = fresh;
  if (
    a.outcome !== "refuse" ||
    b.outcome !== "refuse" ||
    old.refusedAt !== fresh.refusedAt ||
    old.code !== fresh.code
  )
    return NOTHING;
  if (a.status !== b.status) return compare(a.status === 404 ? 0 : 1, b.status === 404 ? 0 : 1);
  const before = toldBy(a.text);
  const after = toldBy(b.text);
  if (!challengesAlike(pair.old, pair.new) && a.headers[CHALLENGE] !== b.headers[CHALLENGE])
    return { wider: true, narrower: true };
  const ids = compare(idIn(a, pair.old), idIn(b, pair.new));
  if (before.text === after.text) return ids;
  const told = compare(before.code ? 1 : 0, after.code ? 1 : 0);
  if (told.wider || told.narrower) return told;
  return ids.wider || ids.narrower ? ids : { wider: true, narrower: true };
}

/** Whether the answer has an id, by which the caller can be asked for. */
function idIn({ headers }: PolicyResult, { route }: Pair["old"]): number {
  const name = route.errors.correlation?.toLowerCase();
  return name !== undefined && Object.hasOwn(headers, name) ? 1 : 0;
}

function toldBy(text: string): { readonly text: string; readonly code: boolean } {
  // Ids differ from one exchange to the next; problems and limits are of other aspects.
  const plain = text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/gu, "id")
    .replaceAll(/"(?:errors|violated-policies)":\[[^\]]*\]/gu, "");
  return { text: plain, code: /"code"/u.test(text) };
}
