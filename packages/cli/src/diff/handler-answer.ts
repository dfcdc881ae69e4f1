/** An answer of the handler that has everything of which either side says something. */
import { isRecord } from "../lib/json.js";
import { segmentsOf } from "../lib/pointer.js";
import type { Side } from "./model.js";
import { followed, rootPlace, type Place, type SchemaWorld } from "./schemas.js";

export function sampleAnswer(sides: readonly Side[]): unknown {
  let answer: unknown = { undeclared: "text-undeclared" };
  for (const { analysed, route } of sides) {
    const { body, bodies, redact } = route.response;
    const world: SchemaWorld = { schemas: analysed.policy.schemas, unknown: "output" };
    for (const schema of [body?.value, ...Object.values(bodies?.value ?? {})]) {
      if (schema !== undefined) answer = merged(answer, valueOf(rootPlace(schema, world), "", 0));
    }
    for (const pointer of Object.keys(redact?.value ?? {}))
      answer = merged(answer, valueAt(segmentsOf(pointer), pointer));
  }
  return answer;
}

function valueOf(place: Place, at: string, depth: number): unknown {
  if (depth > 6) return undefined;
  const within = followed(place);
  const { schema } = within;
  if (!isRecord(schema)) return `text${at.replaceAll("/", "-")}`;
  const below = (part: unknown, name: string): unknown =>
    valueOf({ ...within, schema: part }, `${at}/${name}`, depth + 1);
  const values = Array.isArray(schema["enum"]) ? (schema["enum"] as readonly unknown[]) : [];
  if (values.length > 0) return values[0];
  if (Object.hasOwn(schema, "const")) return schema["const"];
  const [type] = [schema["type"] ?? (isRecord(schema["properties"]) ? "object" : "string")].flat();
  switch (type) {
    case "object": {
      const entries = Object.entries(isRecord(schema["properties"]) ? schema["properties"] : {});
      const members = entries.map(([name, inner]) => [name, below(inner, name)]);
      return { ...Object.fromEntries(members), undeclared: `text${at.replaceAll("/", "-")}-undeclared` };
    }
    case "array":
      return [below(schema["items"], "0")];
    case "integer":
      return 17;
    case "number":
      return 17.5;
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return `text${at.replaceAll("/", "-")}-longer`;
  }
}

function valueAt([first, ...rest]: readonly string[], pointer: string): unknown {
  if (first === undefined) return `text${pointer.replaceAll(/[^a-z]/giu, "-")}-longer`;
  if (first === "**") return valueAt(rest, pointer);
  const inner = valueAt(rest, pointer);
  return first === "*" ? { any: inner } : { [first]: inner };
}

/** What is there stays; what is not is added. */
function merged(a: unknown, b: unknown): unknown {
  if (a === undefined) return b;
  if (Array.isArray(a)) {
    if (isRecord(b)) return a.map((one: unknown) => merged(one, Object.values(b)[0]));
    return Array.isArray(b) ? a.map((one: unknown) => merged(one, b[0])) : a;
  }
  if (!isRecord(a) || !isRecord(b)) return a;
  const members: Record<string, unknown> = { ...a };
  for (const [name, value] of Object.entries(b)) members[name] = merged(members[name], value);
  return members;
}
