/** Schemas: which keywords can refuse, and which of them it was. */
import { pointerTo } from "../lib/pointer.js";
import { isList, isRecord } from "../lib/json.js";

type Schemas = Readonly<Record<string, unknown>>;

interface Place {
  readonly schema: unknown;
  readonly pointer: string;
}

/** Keywords that say no by themselves. */
const REFUSING: readonly string[] = [
  "type",
  "enum",
  "const",
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
  "minLength",
  "maxLength",
  "pattern",
  "format",
  "allowedUrl",
  "minItems",
  "maxItems",
  "uniqueItems",
  "contains",
  "minProperties",
  "maxProperties",
  "propertyNames",
  "dependentRequired",
  "not",
  "anyOf",
  "oneOf",
];

/**
 * Pointers of the keywords that can refuse a value, or with `redact` of those that redact one. What stands behind `$ref` is named where
 * it stands. Branches of `anyOf` and `oneOf`, and what is below `not`, `if` and `contains`, refuse only as a whole.
 * @param written `text`: the value is sent as text, so a type of string cannot be missed
 */
export function keywordsIn(
  schema: unknown,
  pointer: string,
  schemas: Schemas,
  written: "json" | "text" | "redact",
): readonly string[] {
  const found = new Set<string>();
  const seen = new Set<string>();
  const visit = (place: Place): void => {
    if (seen.has(place.pointer)) return;
    seen.add(place.pointer);
    const { schema: own } = place;
    if (!isRecord(own)) return;
    const at = (...segments: readonly (string | number)[]): string => pointerTo(place.pointer, ...segments);
    if (written === "redact") {
      if ("redact" in own) found.add(at("redact"));
    } else {
      for (const keyword of REFUSING) {
        if (!Object.hasOwn(own, keyword) || (own["uniqueItems"] === false && keyword === "uniqueItems"))
          continue;
        if (written === "text" && keyword === "type" && own["type"] === "string") continue;
        found.add(at(keyword));
      }
      // Of a parameter.
      if (own["required"] === true) found.add(at("required"));
      if (isList(own["required"]))
        for (const index of own["required"].keys()) found.add(at("required", index));
      if (own["additionalProperties"] === false) found.add(at("additionalProperties"));
      if (own["unevaluatedProperties"] === false) found.add(at("unevaluatedProperties"));
    }
    for (const part of partsOf(place, schemas, written === "redact")) visit(part);
  };
  visit({ schema, pointer });
  return [...found];
}

/** What is below a schema, or beside it for the same value. */
function partsOf({ schema, pointer }: Place, schemas: Schemas, branches: boolean): readonly Place[] {
  if (!isRecord(schema)) return [];
  const parts: Place[] = [...besides({ schema, pointer }, schemas, branches)];
  for (const keyword of ["properties", "patternProperties", "dependentSchemas"]) {
    const map = schema[keyword];
    for (const [name, part] of Object.entries(isRecord(map) ? map : {}))
      parts.push({ schema: part, pointer: pointerTo(pointer, keyword, name) });
  }
  for (const keyword of ["additionalProperties", "items"])
    if (isRecord(schema[keyword]))
      parts.push({ schema: schema[keyword], pointer: pointerTo(pointer, keyword) });
  const prefix = schema["prefixItems"];
  for (const [index, part] of (isList(prefix) ? prefix : []).entries())
    parts.push({ schema: part, pointer: pointerTo(pointer, "prefixItems", index) });
  return parts;
}

/** Schemas that hold for the same value. */
function besides({ schema, pointer }: Place, schemas: Schemas, branches: boolean): readonly Place[] {
  if (!isRecord(schema)) return [];
  const found: Place[] = [];
  const name = /^#\/schemas\/([^/]+)$/u.exec(typeof schema["$ref"] === "string" ? schema["$ref"] : "")?.[1];
  if (name !== undefined) {
    const key = decodeURIComponent(name).replaceAll("~1", "/").replaceAll("~0", "~");
    if (Object.hasOwn(schemas, key))
      found.push({ schema: schemas[key], pointer: pointerTo("/schemas", key) });
  }
  for (const keyword of branches ? ["allOf", "anyOf", "oneOf"] : ["allOf"]) {
    const list = schema[keyword];
    for (const [index, part] of (isList(list) ? list : []).entries())
      found.push({ schema: part, pointer: pointerTo(pointer, keyword, index) });
  }
  for (const keyword of ["then", "else"])
    if (isRecord(schema[keyword]))
      found.push({ schema: schema[keyword], pointer: pointerTo(pointer, keyword) });
  return found;
}

/**
 * Pointers of the keywords of that name which speak of a place in the value.
 * @param segments of the place in the value
 */
export function keywordsAt(
  root: Place,
  segments: readonly string[],
  keyword: string,
  schemas: Schemas,
): readonly string[] {
  let places = whole([root], schemas);
  const last = segments.at(-1) ?? "";
  const found: string[] = [];
  for (const [index, segment] of segments.entries()) {
    if (index === segments.length - 1) found.push(...ofParent(places, last, keyword));
    places = whole(
      places.flatMap((place) => below(place, segment)),
      schemas,
    );
  }
  return [...found, ...places.flatMap((place) => ofOwn(place, keyword))];
}

function ofOwn({ schema, pointer }: Place, keyword: string): readonly string[] {
  if (!isRecord(schema) || !Object.hasOwn(schema, keyword)) return [];
  if (keyword === "required" && isList(schema["required"]))
    return schema["required"].map((_name, index) => pointerTo(pointer, "required", index));
  return [pointerTo(pointer, keyword)];
}

/** A member that is missing or unknown is told at its own place; the rule is its parent's. */
function ofParent(places: readonly Place[], member: string, keyword: string): readonly string[] {
  return places.flatMap(({ schema, pointer }) => {
    if (!isRecord(schema)) return [];
    if (keyword === "required" && isList(schema["required"])) {
      const index = schema["required"].indexOf(member);
      return index < 0 ? [] : [pointerTo(pointer, "required", index)];
    }
    const closing = ["additionalProperties", "unevaluatedProperties"];
    if (closing.includes(keyword))
      return closing.filter((one) => schema[one] === false).map((one) => pointerTo(pointer, one));
    return [];
  });
}

function below({ schema, pointer }: Place, segment: string): readonly Place[] {
  if (!isRecord(schema)) return [];
  const properties = schema["properties"];
  if (isRecord(properties) && Object.hasOwn(properties, segment))
    return [{ schema: properties[segment], pointer: pointerTo(pointer, "properties", segment) }];
  const prefix = schema["prefixItems"];
  if (isList(prefix) && prefix[Number(segment)] !== undefined)
    return [{ schema: prefix[Number(segment)], pointer: pointerTo(pointer, "prefixItems", segment) }];
  const found: Place[] = [];
  const patterns = schema["patternProperties"];
  for (const [pattern, part] of Object.entries(isRecord(patterns) ? patterns : {}))
    if (new RegExp(pattern, "u").test(segment))
      found.push({ schema: part, pointer: pointerTo(pointer, "patternProperties", pattern) });
  if (found.length > 0) return found;
  for (const keyword of ["items", "additionalProperties"])
    if (isRecord(schema[keyword]))
      found.push({ schema: schema[keyword], pointer: pointerTo(pointer, keyword) });
  return found;
}

/** With all that holds for the same values. */
function whole(places: readonly Place[], schemas: Schemas): readonly Place[] {
  const found = new Map<string, Place>();
  const visit = (place: Place): void => {
    if (found.has(place.pointer)) return;
    found.set(place.pointer, place);
    for (const beside of besides(place, schemas, false)) visit(beside);
  };
  places.forEach(visit);
  return [...found.values()];
}
