/** Places of a JSON Schema, followed through `#/schemas/…`. */
import type { PolicyDocument } from "@gatehouse/core";
import { pointerTo } from "../lib/pointer.js";

export interface SchemaPlace {
  readonly schema: unknown;
  readonly pointer: string;
}

type Node = Readonly<Record<string, unknown>>;

/** The schema and all below it, each place once. */
export function placesOf(schema: unknown, pointer: string, policy: PolicyDocument): readonly SchemaPlace[] {
  const seen = new Map<string, SchemaPlace>();
  const visit = (place: SchemaPlace): void => {
    if (seen.has(place.pointer)) return;
    seen.set(place.pointer, place);
    for (const inner of innerOf(place, policy)) visit(inner);
  };
  visit({ schema, pointer });
  return [...seen.values()];
}

function innerOf({ schema, pointer }: SchemaPlace, policy: PolicyDocument): SchemaPlace[] {
  if (!isNode(schema)) return [];
  const reference = schema["$ref"];
  const name = typeof reference === "string" ? /^#\/schemas\/([^/]+)$/u.exec(reference)?.[1] : undefined;
  const named =
    name === undefined ? [] : [{ schema: policy.schemas?.[name], pointer: pointerTo("/schemas", name) }];
  const maps = ["properties", "patternProperties", "$defs"].flatMap((key) =>
    members(schema[key], pointerTo(pointer, key)),
  );
  const lists = ["allOf", "anyOf", "oneOf", "prefixItems"].flatMap((key) =>
    members(schema[key], pointerTo(pointer, key)),
  );
  const single = ["items", "additionalProperties"].flatMap((key) =>
    isNode(schema[key]) ? [{ schema: schema[key], pointer: pointerTo(pointer, key) }] : [],
  );
  return [...named, ...maps, ...lists, ...single];
}

function members(value: unknown, pointer: string): SchemaPlace[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).map(([key, schema]) => ({
    schema: schema as unknown,
    pointer: pointerTo(pointer, key),
  }));
}

export function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
