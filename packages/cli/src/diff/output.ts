/** What leaves: whether whatever the one side lets out of an answer, the other lets out too. */
import { isRecord } from "../lib/json.js";
import { segmentsOf } from "../lib/pointer.js";
import { conditionWithin, isTrue, written } from "./authorization.js";
import { alike } from "./canonical.js";
import { and, FALSE, not, or, TRUE, type Formula } from "./condition.js";
import type { Apart, Facts } from "./facts.js";
import { all, notShown, SHOWN, shownIf, type Proof, type Side } from "./model.js";
import { isAsStrict, mayWithhold, mayWithholdAt, projectionWithin } from "./projection.js";
import { rootPlace, spelledAt, spelledOut, type Place, type SchemaWorld } from "./schemas.js";
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
  if (a.nothing !== undefined) return all(events, emptyWithin(outer));
  if (b.nothing !== undefined) return notShown("a body leaves where the other lets none out");
  return all(
    events,
    shownIf(hasRule(inner) || !hasRule(outer), "bodies leave as the handler wrote them"),
    bodiesWithin(inner, outer),
    shownIf(alike(keyOf(inner), keyOf(outer)) || !hashes(outer), "the key of the hash differs"),
    redactionsWithin(inner, outer, apart),
    fitsWithin(inner, outer, apart),
    shownIf(
      a.onMismatch === "withhold" || b.onMismatch === "report",
      "parts of the wrong shape are reported and leave",
    ),
    shownIf(a.encode || !b.encode, "text leaves that could be read as markup"),
    sanitizedWithin(inner, outer),
  );
}

/** Without its body an answer leaves all the same, with its status and its fields. */
function emptyWithin(outer: Side): Proof {
  const withholds = outer.route.response.onMismatch === "withhold";
  return shownIf(
    !schemasOf(outer).some((place) => mayWithhold(place, withholds, new Set())),
    "an answer leaves without its body where the other withholds it as a whole",
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
  if ((a.body === undefined) !== (b.body === undefined))
    return notShown("answers of other statuses leave otherwise");
  const x: Members = a.bodies?.value ?? { "2xx": a.body?.value };
  const y: Members = b.bodies?.value ?? { "2xx": b.body?.value };
  const keys = new Set([...Object.keys(x), ...Object.keys(y)]);
  return all(
    ...[...keys].map((status): Proof => {
      const from = covering(x, status);
      const to = covering(y, status);
      if (from === undefined) return SHOWN;
      if (to === undefined) return notShown(`bodies with status ${status} leave`);
      return projectionWithin(
        rootPlace(from, worldOf(inner)),
        rootPlace(to, worldOf(outer)),
        b.onMismatch === "withhold",
      );
    }),
  );
}

function covering(schemas: Members, status: string): unknown {
  return schemas[status] ?? schemas[`${status.charAt(0)}xx`] ?? schemas["default"];
}

function redactionsWithin(inner: Side, outer: Side, apart: Apart): Proof {
  const kept = redactionsOf(inner);
  return all(
    ...[...redactionsOf(outer)].map(([pointer, wanted]): Proof => {
      const own = kept.get(pointer);
      if (own === undefined) return notShown(`${pointer} is not redacted`);
      return all(
        shownIf(isAsStrict(own.action, wanted.action), `${pointer} is redacted less strictly`),
        inForceWithin(inner, own, outer, wanted, apart, pointer),
        shownIf(
          !isHash(wanted) || alike(keyOf(inner), keyOf(outer)),
          `${pointer}: the key of the hash differs`,
        ),
      );
    }),
  );
}

/** What is redacted is not asked for its shape: where it does not fit, the rest leaves that the other withholds. */
function fitsWithin(inner: Side, outer: Side, apart: Apart): Proof {
  const withholds = outer.route.response.onMismatch === "withhold";
  const there = redactionsOf(outer);
  return all(
    ...[...redactionsOf(inner)].map(([pointer, own]): Proof => {
      const steps = segmentsOf(pointer);
      if (!schemasOf(outer).some((place) => mayWithholdAt(place, steps, withholds))) return SHOWN;
      const other = there.get(pointer);
      return shownIf(
        other !== undefined && inForceWithin(outer, other, inner, own, apart, pointer).shown,
        `${pointer}: what does not fit withholds the whole in one alone`,
      );
    }),
  );
}

function schemasOf(side: Side): readonly Place[] {
  const { body, bodies, events } = side.route.response;
  return [body?.value, ...Object.values(bodies?.value ?? {}), events?.value]
    .filter((schema) => schema !== undefined)
    .map((schema) => rootPlace(schema, worldOf(side)));
}

function hashes(side: Side): boolean {
  return schemasOf(side).some((place) => spelledAt(place).includes('"redact":"hash"'));
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
  if (!isRecord(unless)) return FALSE;
  const { roles, scopes, when } = unless;
  const parts: Formula[] = [];
  if (Array.isArray(roles)) parts.push(or(roles.map((role) => facts.role(String(role)))));
  if (Array.isArray(scopes)) parts.push(...scopes.map((scope) => facts.scope(String(scope))));
  if (typeof when === "string") parts.push(isTrue(written(when, facts, variables)));
  return and(parts);
}
