/** Finds every JSON Schema that a document holds and has it looked through. */
import type { Report } from "../errors/diagnostics.js";
import { pointerTo } from "../lib/pointer.js";
import { sortedEntries } from "../lib/sorted.js";
import type { JsonSchema, PolicyDocument, SharedSettings } from "../model/policy.js";
import { CycleCheck } from "./schema-cycles.js";
import { type SchemaContext, walkSchema } from "./schema-walk.js";

interface WrittenSchema {
  readonly schema: JsonSchema;
  readonly pointer: string;
  readonly name?: string;
  readonly parameter?: boolean;
}

export function checkSchemas(document: PolicyDocument, report: Report): void {
  const context: SchemaContext = { schemas: document.schemas ?? {}, report };
  const cycles = new CycleCheck(context.schemas, report);
  for (const { schema, pointer, name, parameter } of schemasOf(document)) {
    walkSchema(schema, pointer, context, name, parameter);
    cycles.check(schema, pointer, name);
  }
}

function schemasOf(document: PolicyDocument): WrittenSchema[] {
  const named = sortedEntries(document.schemas).map(([name, schema]): WrittenSchema => ({
    schema,
    pointer: pointerTo("/schemas", name),
    name,
  }));
  const levels = [
    ...(document.defaults === undefined ? [] : schemasAt(document.defaults, "/defaults")),
    ...sortedEntries(document.groups).flatMap(([prefix, level]) =>
      schemasAt(level, pointerTo("/groups", prefix)),
    ),
    ...sortedEntries(document.routes).flatMap(([key, level]) => schemasAt(level, pointerTo("/routes", key))),
  ];
  return [...named, ...levels];
}

const NO_SCHEMAS: readonly WrittenSchema[] = [];

function schemasAt({ request, response }: SharedSettings, pointer: string): readonly WrittenSchema[] {
  if (request === undefined && response === undefined) return NO_SCHEMAS;
  const found: WrittenSchema[] = [];
  for (const place of ["params", "query", "headers", "cookies"] as const) {
    for (const [name, schema] of sortedEntries(request?.[place])) {
      found.push({ schema, pointer: pointerTo(pointer, "request", place, name), parameter: true });
    }
  }
  if (request?.body !== undefined)
    found.push({ schema: request.body, pointer: pointerTo(pointer, "request", "body") });
  if (response === undefined || response === false) return found;
  if (response.body !== undefined)
    found.push({ schema: response.body, pointer: pointerTo(pointer, "response", "body") });
  if (response.events !== undefined)
    found.push({ schema: response.events, pointer: pointerTo(pointer, "response", "events") });
  for (const [status, schema] of sortedEntries(response.bodies)) {
    found.push({ schema, pointer: pointerTo(pointer, "response", "bodies", status) });
  }
  return found;
}
