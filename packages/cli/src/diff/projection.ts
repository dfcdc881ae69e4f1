/**
 * Whether whatever one schema lets out of an answer, another lets out too: for `type`, `properties`, `additionalProperties`, `items`,
 * `redact` and `writeOnly`. A value that does not fit may withhold the whole, so a schema that declares less can let more out.
 */
import { ANNOTATIONS } from "@gatehouse/core/analysis";
import { isRecord } from "../lib/json.js";
import { alike } from "./canonical.js";
import { all, notShown, SHOWN, shownIf, type Proof } from "./model.js";
import { followed, spelledAt, type Place } from "./schemas.js";

type Members = Readonly<Record<string, unknown>>;
type Shape = Place & { readonly schema: Members };

const READ: ReadonlySet<string> = new Set([
  "type",
  "properties",
  "additionalProperties",
  "items",
  "redact",
  "writeOnly",
]);
const SILENT: ReadonlySet<string> = new Set([...ANNOTATIONS].filter((keyword) => !READ.has(keyword)));
/** With one of these, what is declared elsewhere decides too what becomes of a member. */
const COMPOSED = ["$ref", "allOf", "anyOf", "oneOf", "patternProperties"];

/** @param withholds whether the outer one withholds the whole where a part does not fit */
export function projectionWithin(inner: Place, outer: Place, withholds: boolean): Proof {
  return new Walk(withholds).within(inner, outer, "");
}

class Walk {
  readonly #assumed = new Set<string>();

  constructor(private readonly withholds: boolean) {}

  within(a: Place, b: Place, at: string): Proof {
    const [narrow, wide] = [spelledAt(a), spelledAt(b)];
    if (narrow === wide) return SHOWN;
    // In a circle, what is asked again holds if the rest does.
    const key = `${narrow} ${wide}`;
    if (this.#assumed.has(key)) return SHOWN;
    this.#assumed.add(key);
    const x = followed(a, SILENT);
    const y = followed(b, SILENT);
    const where = at === "" ? "the whole" : at;
    if (isOpen(y.schema)) return SHOWN;
    if (isClosed(x.schema)) return at === "" ? SHOWN : this.#fitsAlways(y, where);
    if (isClosed(y.schema)) return notShown(`${where} leaves`);
    if (isOpen(x.schema) || !isShape(x) || !isShape(y)) return notShown(`${where} leaves whole`);
    return this.#shapes(x, y, at, where);
  }

  #shapes(x: Shape, y: Shape, at: string, where: string): Proof {
    const composed = COMPOSED.find((keyword) => [x, y].some(({ schema }) => Object.hasOwn(schema, keyword)));
    if (composed !== undefined)
      return notShown(`${where} has \`${composed}\`, which is compared by equality alone`);
    return all(
      shownIf(
        alike(othersOf(x), othersOf(y)),
        `${where}: keywords differ that are compared by equality alone`,
      ),
      this.#redactions(x, y, where),
      shownIf(typesWithin(x.schema["type"], y.schema["type"]), `${where}: values of another type leave`),
      this.#members(x, y, at),
      this.#items(x, y, at),
    );
  }

  #redactions(x: Shape, y: Shape, where: string): Proof {
    const { redact: own } = x.schema;
    const { redact: wanted } = y.schema;
    // What is redacted is not asked for its shape.
    if (wanted === undefined) return own === undefined ? SHOWN : this.#fitsAlways(y, where);
    return shownIf(own !== undefined && isAsStrict(own, wanted), `${where} is redacted less, or otherwise`);
  }

  #members(x: Shape, y: Shape, at: string): Proof {
    const narrow = membersOf(x.schema["properties"]);
    const wide = membersOf(y.schema["properties"]);
    const other = {
      x: x.schema["additionalProperties"] ?? false,
      y: y.schema["additionalProperties"] ?? false,
    };
    const step = (from: unknown, to: unknown, name: string): Proof =>
      this.within({ ...x, schema: from }, { ...y, schema: to }, `${at}/${name}`);
    const names = new Set([...Object.keys(narrow), ...Object.keys(wide)]);
    return all(
      ...[...names].map((name) => step(narrow[name] ?? other.x, wide[name] ?? other.y, name)),
      step(other.x, other.y, "*"),
    );
  }

  #items(x: Shape, y: Shape, at: string): Proof {
    const { items: narrow } = x.schema;
    const { items: wide } = y.schema;
    if (narrow === undefined && wide === undefined) return SHOWN;
    if (narrow === undefined || wide === undefined) return notShown(`${at}/* leaves otherwise`);
    return this.within({ ...x, schema: narrow }, { ...y, schema: wide }, `${at}/*`);
  }

  #fitsAlways(place: Place, where: string): Proof {
    return shownIf(
      !mayWithhold(place, this.withholds, new Set()),
      `${where}: a value that does not fit withholds the whole in one alone`,
    );
  }
}

/** Whether there is a value of which a part withholds the whole. */
export function mayWithhold(place: Place, withholds: boolean, seen: Set<unknown>): boolean {
  const at = followed(place, SILENT);
  const { schema } = at;
  if (!isShape(at) || isOpen(schema) || isClosed(schema) || at.schema["redact"] !== undefined) return false;
  // No branch of a union fits: that withholds the whole whatever `onMismatch` says.
  if (withholds || COMPOSED.some((keyword) => Object.hasOwn(at.schema, keyword))) return true;
  if (seen.has(schema)) return false;
  seen.add(schema);
  const { properties, additionalProperties, items, prefixItems } = at.schema;
  const parts = [...Object.values(membersOf(properties)), additionalProperties, items];
  return [...parts, ...(Array.isArray(prefixItems) ? (prefixItems as readonly unknown[]) : [])].some((part) =>
    mayWithhold({ ...at, schema: part }, withholds, seen),
  );
}

/** The same for values to which a pointer leads. */
export function mayWithholdAt(place: Place, [step, ...rest]: readonly string[], withholds: boolean): boolean {
  const at = followed(place, SILENT);
  const { schema } = at;
  const named = isRecord(schema) && schema["items"] === undefined && schema["prefixItems"] === undefined;
  const composed = named && COMPOSED.some((keyword) => Object.hasOwn(schema, keyword));
  // Wherever else it may lead, it leads to a part of this.
  if (step === undefined || /^\*{1,2}$/u.test(step) || !named || composed)
    return mayWithhold(at, withholds, new Set());
  const part = membersOf(schema["properties"])[step] ?? schema["additionalProperties"] ?? isOpen(schema);
  return mayWithholdAt({ ...at, schema: part }, rest, withholds);
}

function isShape(place: Place): place is Shape {
  return isRecord(place.schema);
}

/** Nothing is said of what leaves. */
function isOpen(schema: unknown): boolean {
  return schema === true || (isRecord(schema) && Object.keys(schema).every((key) => SILENT.has(key)));
}

function isClosed(schema: unknown): boolean {
  return schema === false || (isRecord(schema) && schema["writeOnly"] === true);
}

function membersOf(value: unknown): Members {
  return isRecord(value) ? value : {};
}

/** References are written out, since a name may stand for something else on each side. */
function othersOf(place: Shape): Members {
  const others = Object.entries(place.schema).filter(([key]) => !READ.has(key) && !SILENT.has(key));
  return Object.fromEntries(others.map(([key, value]) => [key, spelledAt({ ...place, schema: value })]));
}

function typesWithin(a: unknown, b: unknown): boolean {
  if (alike(a, b)) return true;
  if (a === undefined || b === undefined) return false;
  const wide = [b].flat();
  return [a].flat().every((type) => wide.includes(type) || (type === "integer" && wide.includes("number")));
}

const STRICTEST_FIRST = ["remove", "null", "replace", "mask", "hash", "last4"];

/** Two of the same kind are in no order. */
export function isAsStrict(action: unknown, wanted: unknown): boolean {
  return rankOf(action) < rankOf(wanted) || alike(action, wanted);
}

function rankOf(action: unknown): number {
  return STRICTEST_FIRST.indexOf(typeof action === "string" ? action : "replace");
}
