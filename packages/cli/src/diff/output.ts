/** What leaves: whether whatever the one side lets out of an answer, the other lets out too. */
import { ANNOTATIONS } from "@gatehouse/core/analysis";
import { conditionWithin, isTrue, written } from "./authorization.js";
import { alike } from "./canonical.js";
import { and, FALSE, not, or, TRUE, type Formula } from "./condition.js";
import type { Apart, Facts } from "./facts.js";
import { all, notShown, SHOWN, shownIf, type Proof, type Side } from "./model.js";
import { spelledOut, type SchemaWorld } from "./schemas.js";
import type { Variables } from "./variables.js";

type Members = Readonly<Record<string, unknown>>;
interface Redaction {
  readonly action: unknown;
  readonly unless?: unknown;
  readonly when?: unknown;
}

export function responseWithin(inner: Side, outer: Side, apart: Apart): Proof {
  const a = inner.route.response;
  const b = outer.route.response;
  const events = shownIf(
    alike(spelledOut(a.events?.value, worldOf(inner)), spelledOut(b.events?.value, worldOf(outer))) ||
      (a.events === undefined && hasRule(inner)),
    "streams of events leave otherwise",
  );
  if (a.nothing !== undefined && b.nothing !== undefined) return events;
  if (a.nothing !== undefined) return all(events, SHOWN);
  if (b.nothing !== undefined) return notShown("a body leaves where the other lets none out");
  return all(
    events,
    shownIf(hasRule(inner) || !hasRule(outer), "bodies leave as the handler wrote them"),
    bodiesWithin(inner, outer),
    redactionsWithin(inner, outer, apart),
    shownIf(
      a.onMismatch === "withhold" || b.onMismatch === "report",
      "parts of the wrong shape are reported and leave",
    ),
    shownIf(a.encode || !b.encode, "text leaves that could be read as markup"),
    sanitizedWithin(inner, outer),
  );
}

function hasRule({ route: { response } }: Side): boolean {
  const { nothing, body, bodies, redact, events, sanitize } = response;
  return [nothing, body, bodies, redact, events, sanitize].some((one) => one !== undefined);
}

function sanitizedWithin(inner: Side, outer: Side): Proof {
  const a = inner.route.response.sanitize?.value ?? {};
  const b = outer.route.response.sanitize?.value ?? {};
  const profiles = alike(
    inner.analysed.policy.document.sanitizing,
    outer.analysed.policy.document.sanitizing,
  );
  if (Object.keys(b).length === 0 || (alike(a, b) && profiles)) return SHOWN;
  return notShown("texts of the answer are cleaned otherwise, or not at all");
}

function worldOf({ analysed: { policy } }: Side): SchemaWorld {
  return { schemas: policy.schemas, unknown: "output" };
}

function bodiesWithin(inner: Side, outer: Side): Proof {
  const a = inner.route.response;
  const b = outer.route.response;
  if (b.body === undefined && b.bodies === undefined) return SHOWN;
  if (a.body === undefined && a.bodies === undefined)
    return notShown("members leave that the other does not declare");
  if ((a.body === undefined) !== (b.body === undefined)) {
    const shape = a.body?.value ?? a.bodies?.value;
    const other = b.body?.value ?? b.bodies?.value;
    return shownIf(alike(shape, other), "answers of other statuses leave otherwise");
  }
  const x: Members = a.bodies?.value ?? { "2xx": a.body?.value };
  const y: Members = b.bodies?.value ?? { "2xx": b.body?.value };
  const keys = new Set([...Object.keys(x), ...Object.keys(y)]);
  return all(
    ...[...keys].map((status): Proof => {
      const from = covering(x, status);
      const to = covering(y, status);
      if (from === undefined) return SHOWN;
      if (to === undefined) return notShown(`bodies with status ${status} leave`);
      return leavesWithin(
        { schema: from, root: from, world: worldOf(inner) },
        { schema: to, root: to, world: worldOf(outer) },
        "",
      );
    }),
  );
}

function covering(schemas: Members, status: string): unknown {
  return schemas[status] ?? schemas[`${status.charAt(0)}xx`] ?? schemas["default"];
}

interface Place {
  readonly schema: unknown;
  readonly root: unknown;
  readonly world: SchemaWorld;
}

const READ: ReadonlySet<string> = new Set([
  "type",
  "properties",
  "additionalProperties",
  "items",
  "redact",
  "writeOnly",
]);
const SILENT: ReadonlySet<string> = new Set([...ANNOTATIONS].filter((keyword) => !READ.has(keyword)));
const DEEPEST = 40;

function leavesWithin(a: Place, b: Place, at: string, depth = 0): Proof {
  if (spelledOut(a.schema, a.world) === spelledOut(b.schema, b.world)) return SHOWN;
  if (depth > DEEPEST) return notShown("the schemas are too deep");
  const x = followed(a);
  const y = followed(b);
  const where = at === "" ? "the whole" : at;
  if (x.schema === false) return SHOWN;
  if (isOpen(y.schema)) return SHOWN;
  if (y.schema === false || isOpen(x.schema) || !isMembers(x.schema) || !isMembers(y.schema))
    return notShown(`${where} leaves whole, or leaves at all`);
  if (x.schema["writeOnly"] === true) return SHOWN;
  if (y.schema["writeOnly"] === true) return notShown(`${where} leaves`);
  if (!alike(others(x.schema), others(y.schema)))
    return notShown(`${where}: keywords differ that are compared by equality alone`);
  return all(
    shownIf(
      y.schema["redact"] === undefined ||
        (x.schema["redact"] !== undefined && rankOf(x.schema["redact"]) <= rankOf(y.schema["redact"])),
      `${where} is redacted less`,
    ),
    shownIf(typesWithin(x.schema["type"], y.schema["type"]), `${where}: values of another type leave`),
    membersWithin(x, x.schema, y, y.schema, at, depth),
    itemsWithin(x, x.schema, y, y.schema, at, depth),
  );
}

function membersWithin(x: Place, a: Members, y: Place, b: Members, at: string, depth: number): Proof {
  const narrow = isMembers(a["properties"]) ? a["properties"] : {};
  const wide = isMembers(b["properties"]) ? b["properties"] : {};
  const other = { x: a["additionalProperties"] ?? false, y: b["additionalProperties"] ?? false };
  const names = new Set([...Object.keys(narrow), ...Object.keys(wide)]);
  const step = (from: unknown, to: unknown, name: string): Proof =>
    leavesWithin({ ...x, schema: from }, { ...y, schema: to }, `${at}/${name}`, depth + 1);
  return all(
    ...[...names].map((name) => step(narrow[name] ?? other.x, wide[name] ?? other.y, name)),
    step(other.x, other.y, "*"),
  );
}

function itemsWithin(x: Place, a: Members, y: Place, b: Members, at: string, depth: number): Proof {
  if (a["items"] === undefined && b["items"] === undefined) return SHOWN;
  if (a["items"] === undefined || b["items"] === undefined) return notShown(`${at}/* leaves otherwise`);
  return leavesWithin({ ...x, schema: a["items"] }, { ...y, schema: b["items"] }, `${at}/*`, depth + 1);
}

function others(schema: Members): Members {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => !READ.has(key) && !SILENT.has(key)));
}

function isOpen(schema: unknown): boolean {
  if (schema === true) return true;
  return isMembers(schema) && Object.keys(schema).every((key) => SILENT.has(key));
}

function typesWithin(a: unknown, b: unknown): boolean {
  if (alike(a, b)) return true;
  if (a === undefined || b === undefined) return false;
  const wide = [b].flat();
  return [a].flat().every((type) => wide.includes(type) || (type === "integer" && wide.includes("number")));
}

function followed(place: Place): Place {
  let at = place;
  for (let steps = 0; steps < DEEPEST; steps += 1) {
    const { schema, world } = at;
    const reference = isMembers(schema) ? schema["$ref"] : undefined;
    const [, name] = typeof reference === "string" ? (/^#\/schemas\/([^/]+)$/u.exec(reference) ?? []) : [];
    if (
      !isMembers(schema) ||
      name === undefined ||
      Object.keys(schema).some((key) => key !== "$ref" && !SILENT.has(key))
    )
      return at;
    const target = world.schemas[name.replaceAll("~1", "/").replaceAll("~0", "~")];
    at = { schema: target, root: target, world };
  }
  return at;
}

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const STRICTEST_FIRST = ["remove", "null", "replace", "mask", "hash", "last4"];

/** The stricter, the lower. */
export function rankOf(action: unknown): number {
  return STRICTEST_FIRST.indexOf(typeof action === "string" ? action : "replace");
}

function redactionsWithin(inner: Side, outer: Side, apart: Apart): Proof {
  const kept = redactionsOf(inner);
  return all(
    ...[...redactionsOf(outer)].map(([pointer, wanted]): Proof => {
      const own = kept.get(pointer);
      if (own === undefined) return notShown(`${pointer} is not redacted`);
      const stricter = rankOf(own.action) < rankOf(wanted.action) || alike(own.action, wanted.action);
      return all(
        shownIf(stricter, `${pointer} is redacted less strictly`),
        inForceWithin(inner, own, outer, wanted, apart, pointer),
        shownIf(
          !isHash(wanted) || alike(keyOf(inner), keyOf(outer)),
          `${pointer}: the key of the hash differs`,
        ),
      );
    }),
  );
}

function isHash({ action }: Redaction): boolean {
  return action === "hash";
}

function keyOf({ analysed }: Side): unknown {
  return analysed.policy.document.redaction?.key;
}

function redactionsOf({ route }: Side): ReadonlyMap<string, Redaction> {
  const entries = Object.entries(route.response.redact?.value ?? {});
  return new Map(
    entries.map(([pointer, entry]) => [
      pointer,
      typeof entry === "object" && "action" in entry ? entry : { action: entry },
    ]),
  );
}

/** Whenever the outer one redacts, the inner one does. */
function inForceWithin(
  inner: Side,
  own: Redaction,
  outer: Side,
  wanted: Redaction,
  apart: Apart,
  pointer: string,
): Proof {
  if (own.unless === undefined && own.when === undefined) return SHOWN;
  const entryOf = (side: Side): Redaction => (side === inner ? own : wanted);
  const proof = conditionWithin(outer, inner, apart, (facts, side, variables) =>
    inForce(entryOf(side), facts, variables),
  );
  return shownIf(proof.shown, `${pointer}: more callers see the value`);
}

function inForce({ unless, when }: Redaction, facts: Facts, variables: Variables): Formula {
  const asked = typeof when === "string" ? notFalse(written(when, facts, variables)) : TRUE;
  return and([asked, not(isTrue(spared(unless, facts, variables)))]);
}

function notFalse(formula: Formula): Formula {
  return { key: `(met ${formula.key})`, of: (given) => formula.of(given) !== false };
}

function spared(unless: unknown, facts: Facts, variables: Variables): Formula {
  if (typeof unless === "string") return written(unless, facts, variables);
  if (!isMembers(unless)) return FALSE;
  const { roles, scopes, when } = unless;
  const parts: Formula[] = [];
  if (Array.isArray(roles)) parts.push(or(roles.map((role) => facts.role(String(role)))));
  if (Array.isArray(scopes)) parts.push(...scopes.map((scope) => facts.scope(String(scope))));
  if (typeof when === "string") parts.push(isTrue(written(when, facts, variables)));
  return and(parts);
}
