/** Cross-checks of params, query, headers and cookies. */
import type { Report } from "../../errors/diagnostics.js";
import { parsePointer, pointerTo, valueAt } from "../../lib/pointer.js";
import type { JsonSchema } from "../../model/policy.js";
import type { Placed, ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";
import { refusedQueryName } from "../../normalize/json-guards.js";
import type { Once } from "./check.js";
import type { Part } from "./parameter.js";
import { isObject, shapeOf } from "./parameter-shape.js";
import { guardsOf } from "./parameters.js";

type Map = Placed<Readonly<Record<string, JsonSchema>>>;

export function checkParameters(policy: ResolvedPolicy, report: Report, once: Once): void {
  for (const route of policy.routes) {
    for (const part of ["params", "query", "headers", "cookies"] as const) {
      const map = route.request[part];
      if (map === undefined) continue;
      for (const [name, schema] of Object.entries(map.value)) {
        const pointer = pointerTo(map.pointer, writtenName(policy, map, name));
        checkShape(part, schema, pointer, policy, report, once);
        if (part === "query") checkQueryName(route, name, pointer, report, once);
      }
    }
    if (route.request.headers !== undefined) checkHeaderNames(policy, route.request.headers, report, once);
  }
}

function checkShape(
  part: Part,
  schema: JsonSchema,
  pointer: string,
  policy: ResolvedPolicy,
  report: Report,
  once: Once,
): void {
  const shape = shapeOf(schema, policy.schemas);
  if (typeof shape === "string") {
    once("parameter-type", pointer, (code) =>
      report.error(code, pointer, shape, "write a schema with a scalar `type`"),
    );
    return;
  }
  if (shape.list && part !== "query") {
    once("parameter-type", pointer, (code) =>
      report.error(code, pointer, `only a query parameter can be repeated, so \`${part}\` have no lists`),
    );
  }
  const required = isObject(schema) ? schema["required"] : undefined;
  if (part === "params" && required === false) {
    once("param-not-required", `${pointer}/required`, (code, place) =>
      report.error(code, place, "a path without its param is another path", "leave `required` out"),
    );
  }
  if ((shape.required || part === "params") && shape.fallback !== undefined) {
    once("unused-default", pointer, (code) =>
      report.warn(code, pointer, "the default is never used: the parameter is required"),
    );
  }
}

/** A name that a guard refuses can never arrive. */
function checkQueryName(
  route: ResolvedRoute,
  name: string,
  pointer: string,
  report: Report,
  once: Once,
): void {
  const rule = refusedQueryName(name, guardsOf(route));
  if (rule === undefined) return;
  once("guarded-name", pointer, (code) =>
    report.error(
      code,
      pointer,
      `the query parameter \`${name}\` is always refused, by the guard \`${rule}\``,
      rule === "operator-key" ? 'write `"operators": "allow"`, or rename it' : "rename it",
    ),
  );
}

/** Names were folded to lower case; two that differ by case alone are one field. */
function checkHeaderNames(policy: ResolvedPolicy, map: Map, report: Report, once: Once): void {
  const seen = new Set<string>();
  for (const written of namesAt(policy, map)) {
    const name = written.toLowerCase();
    if (seen.has(name)) {
      once("duplicate-name", pointerTo(map.pointer, written), (code, pointer) =>
        report.error(code, pointer, `\`${written}\` stands twice: names of header fields have no case`),
      );
    }
    seen.add(name);
  }
}

function writtenName(policy: ResolvedPolicy, map: Map, name: string): string {
  return namesAt(policy, map).find((written) => written === name || written.toLowerCase() === name) ?? name;
}

function namesAt(policy: ResolvedPolicy, map: Map): readonly string[] {
  const written = valueAt(policy.document, parsePointer(map.pointer) ?? []);
  return isObject(written) ? Object.keys(written) : [];
}
