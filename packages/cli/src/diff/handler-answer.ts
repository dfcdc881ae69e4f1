/** An answer of the handler that has everything of which either side says something. */
import type { Side } from "./model.js";

type Members = Readonly<Record<string, unknown>>;

export function sampleAnswer(sides: readonly Side[]): unknown {
  let answer: unknown = { undeclared: "text-undeclared" };
  for (const { analysed, route } of sides) {
    const { body, bodies, redact } = route.response;
    const schemas: readonly unknown[] = [body?.value, ...Object.values(bodies?.value ?? {})];
    for (const schema of schemas) {
      if (schema !== undefined) answer = merged(answer, valueOf(schema, analysed.policy.schemas, "", 0));
    }
    for (const pointer of Object.keys(redact?.value ?? {}))
      answer = merged(answer, valueAt(stepsOf(pointer), pointer));
  }
  return answer;
}

function valueOf(schema: unknown, schemas: Members, at: string, depth: number): unknown {
  if (depth > 6) return undefined;
  if (!isMembers(schema)) return `text${at.replaceAll("/", "-")}`;
  const reference = schema["$ref"];
  if (typeof reference === "string") {
    const [, name = ""] = /^#\/schemas\/([^/]+)$/u.exec(reference) ?? [];
    return valueOf(schemas[name], schemas, at, depth + 1);
  }
  const values = Array.isArray(schema["enum"]) ? (schema["enum"] as readonly unknown[]) : [];
  if (values.length > 0) return values[0];
  if (Object.hasOwn(schema, "const")) return schema["const"];
  const [type] = [schema["type"] ?? (isMembers(schema["properties"]) ? "object" : "string")].flat();
  switch (type) {
    case "object": {
      const entries = Object.entries(isMembers(schema["properties"]) ? schema["properties"] : {});
      const members = entries.map(([name, inner]) => [
        name,
        valueOf(inner, schemas, `${at}/${name}`, depth + 1),
      ]);
      return { ...Object.fromEntries(members), undeclared: `text${at.replaceAll("/", "-")}-undeclared` };
    }
    case "array":
      return [valueOf(schema["items"], schemas, `${at}/0`, depth + 1)];
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

function stepsOf(pointer: string): readonly string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
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
    if (isMembers(b)) return a.map((one: unknown) => merged(one, Object.values(b)[0]));
    return Array.isArray(b) ? a.map((one: unknown) => merged(one, b[0])) : a;
  }
  if (!isMembers(a) || !isMembers(b)) return a;
  const members: Record<string, unknown> = { ...a };
  for (const [name, value] of Object.entries(b)) members[name] = merged(members[name], value);
  return members;
}

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
