/** Mutants of a schema: each keyword left out, each bound moved by one, each name and choice taken away. */
import { isList, isRecord } from "../lib/json.js";
import { drop, pointerTo, set, shown, type Mutant } from "./mutant.js";

/** Say nothing of what fits. */
const ANNOTATIONS = new Set([
  "title",
  "description",
  "$comment",
  "examples",
  "example",
  "deprecated",
  "readOnly",
  "$id",
  "$schema",
  "$defs",
]);
/** Held to elsewhere, member by member. */
const MAPS = new Set(["properties", "patternProperties", "dependentSchemas", "$defs"]);
const LISTS = new Set(["allOf", "anyOf", "oneOf", "prefixItems"]);
const SINGLE = new Set([
  "items",
  "additionalProperties",
  "not",
  "if",
  "then",
  "else",
  "contains",
  "propertyNames",
  "unevaluatedProperties",
]);

/** @param answer the schema says what leaves: what it does not name does not */
export function schemaMutants(schema: unknown, pointer: string, answer: boolean): readonly Mutant[] {
  if (!isRecord(schema)) return schema === false ? [set(pointer, true, "everything fits")] : [];
  const found: Mutant[] = [];
  for (const [keyword, value] of Object.entries(schema)) {
    if (ANNOTATIONS.has(keyword)) continue;
    const at = pointerTo(pointer, keyword);
    if (!MAPS.has(keyword)) found.push(drop(at));
    if (MAPS.has(keyword)) found.push(...mapMutants(value, at, answer));
    else if (LISTS.has(keyword)) found.push(...listMutants(value, at, answer));
    else if (SINGLE.has(keyword)) found.push(...schemaMutants(value, at, answer));
    else if (typeof value === "number")
      found.push(set(at, value + 1, `${value + 1}`), set(at, value - 1, `${value - 1}`));
    else if (typeof value === "boolean" && keyword !== "additionalProperties")
      found.push(set(at, !value, String(!value)));
    else if (isList(value) && value.length > 1)
      for (const index of value.keys())
        found.push(drop(pointerTo(at, index), `without ${shown(value[index])}`));
  }
  if (answer && isRecord(schema["properties"]) && !("additionalProperties" in schema))
    found.push({
      ...set(pointerTo(pointer, "additionalProperties"), true, "members that nobody declared leave too"),
      pointer,
    });
  return found;
}

function mapMutants(map: unknown, pointer: string, answer: boolean): readonly Mutant[] {
  return Object.entries(isRecord(map) ? map : {}).flatMap(([name, part]) => {
    const at = pointerTo(pointer, name);
    return [drop(at), ...schemaMutants(part, at, answer)];
  });
}

function listMutants(list: unknown, pointer: string, answer: boolean): readonly Mutant[] {
  return (isList(list) ? list : []).flatMap((part, index) => {
    const at = pointerTo(pointer, index);
    return [...(isList(list) && list.length > 1 ? [drop(at)] : []), ...schemaMutants(part, at, answer)];
  });
}
