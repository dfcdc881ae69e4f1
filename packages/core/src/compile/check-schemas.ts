/** Finds every JSON Schema that a document holds and has it looked through. */
import type { Report } from "../errors/diagnostics.js";
import { pointerTo } from "../lib/pointer.js";
import { sortedEntries } from "../lib/sorted.js";
import type { PolicyDocument, SharedSettings } from "../model/policy.js";
import { CycleCheck } from "./schema-cycles.js";
import { type SchemaContext, walkSchema, type WrittenSchema } from "./schema-walk.js";

/** @returns the schemas in which no other check would find anything */
export function checkSchemas(document: PolicyDocument, report: Report): ReadonlySet<unknown> {
  const context: SchemaContext = { schemas: document.schemas ?? {}, report };
  const cycles = new CycleCheck(context.schemas, report);
  const plain = new Set<unknown>();
  for (const written of schemasOf(document)) {
    const { schema, steps, name } = written;
    const { refers, warns } = walkSchema(written, context);
    if (refers) cycles.check(schema, pointerTo("", ...steps), name);
    else if (!warns) plain.add(schema);
  }
  return plain;
}

function schemasOf(document: PolicyDocument): WrittenSchema[] {
  const found = sortedEntries(document.schemas).map(([name, schema]): WrittenSchema => ({
    schema,
    steps: ["schemas", name],
    name,
  }));
  if (document.defaults !== undefined) addAt(found, document.defaults, ["defaults"]);
  for (const [prefix, level] of sortedEntries(document.groups)) addAt(found, level, ["groups", prefix]);
  for (const [key, level] of sortedEntries(document.routes)) addAt(found, level, ["routes", key]);
  return found;
}

function addAt(found: WrittenSchema[], { request, response }: SharedSettings, at: readonly string[]): void {
  if (request !== undefined) {
    for (const place of ["params", "query", "headers", "cookies"] as const) {
      for (const [name, schema] of sortedEntries(request[place]))
        found.push({ schema, steps: [...at, "request", place, name], parameter: true });
    }
    if (request.body !== undefined) found.push({ schema: request.body, steps: [...at, "request", "body"] });
  }
  if (response === undefined || response === false) return;
  if (response.body !== undefined) found.push({ schema: response.body, steps: [...at, "response", "body"] });
  if (response.events !== undefined)
    found.push({ schema: response.events, steps: [...at, "response", "events"] });
  for (const [status, schema] of sortedEntries(response.bodies))
    found.push({ schema, steps: [...at, "response", "bodies", status] });
}
