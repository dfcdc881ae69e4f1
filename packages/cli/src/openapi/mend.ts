/**
 * The engine is asked whether a drafted policy can be served. What it refuses of a schema is taken out, in its own words and on the list; a
 * schema that would thereby let anything in or out is closed instead.
 */
import { checkPolicy, PolicyError, type Diagnostic, type PolicyDocument } from "@gatehouse/core";
import { ANNOTATIONS } from "@gatehouse/core/analysis";
import { policyKit } from "@gatehouse/core/testing";
import { placesOf } from "../audit/schemas.js";
import { pointerTo } from "../lib/pointer.js";
import type { Item } from "./list.js";
import { isObject } from "./source.js";

type Node = Record<string, unknown>;

/** Without one of these a schema is less exact; without any other it would be another schema. */
const CAN_GO: ReadonlySet<string> = new Set([
  "pattern",
  "format",
  "minLength",
  "maxLength",
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
  "minItems",
  "maxItems",
  "uniqueItems",
  "minContains",
  "maxContains",
  "minProperties",
  "maxProperties",
  "required",
  "dependentRequired",
  "propertyNames",
  "contains",
  "not",
  "if",
  "then",
  "else",
  ...ANNOTATIONS,
  "allowedUrl",
]);
/** Members that are names and not keywords stand below these. */
const MAPS: ReadonlySet<string> = new Set([
  "properties",
  "patternProperties",
  "dependentSchemas",
  "params",
  "query",
  "headers",
  "cookies",
  "bodies",
  "schemas",
]);
/** Codes of what a request may say and an answer may not. */
const OF_ANSWERS: ReadonlySet<string> = new Set(["unfollowed-keyword", "indistinct-branches"]);

const MOST_ROUNDS = 50;

/** Changes the policy. @returns errors that nothing could be done about: the policy cannot be served */
export async function mendPolicy(policy: Node, items: Item[]): Promise<readonly Diagnostic[]> {
  for (let round = 0; ; round++) {
    const errors = await errorsOf(policy as unknown as PolicyDocument);
    if (errors.length === 0) return [];
    const mended = errors.filter((error) => mend(policy, error, items)).length;
    if (mended === 0 || round >= MOST_ROUNDS) return errors;
  }
}

/** What a check tells, and then what only the compiler does; throwaway keys stand in for secrets. */
async function errorsOf(policy: PolicyDocument): Promise<readonly Diagnostic[]> {
  const told = checkPolicy(policy).filter(({ severity }) => severity === "error");
  if (told.length > 0) return told;
  try {
    await (await policyKit(policy)).close();
    return [];
  } catch (error) {
    if (error instanceof PolicyError) return error.diagnostics;
    throw error;
  }
}

function mend(policy: Node, error: Diagnostic, items: Item[]): boolean {
  const path = segmentsOf(error.pointer);
  const [room, name = "", part] = path;
  if (room === "routes" && part === "response") return dropResponse(policy, name, error, items);
  if (OF_ANSWERS.has(error.code))
    return (
      routesThatAnswerWith(policy, error.pointer).filter((route) => dropResponse(policy, route, error, items))
        .length > 0
    );
  if (room === "schemas" || (room === "routes" && part === "request"))
    return (
      mendSchema(policy, path, error, items) || (room === "routes" && dropRoute(policy, name, error, items))
    );
  return room === "routes" && dropRoute(policy, name, error, items);
}

function mendSchema(policy: Node, path: readonly string[], error: Diagnostic, items: Item[]): boolean {
  const last = path.at(-1) ?? "";
  const above = path.at(-2) ?? "";
  const isKeyword = !MAPS.has(above) && !/^\d+$/u.test(last);
  const parent = at(policy, path.slice(0, -1));
  if (
    path.length === 4 &&
    ["types", "bodyOptional"].includes(last) &&
    isObject(parent) &&
    Object.hasOwn(parent, last)
  ) {
    delete (parent as Node)[last];
    items.push({
      kind: "lost",
      code: "request",
      source: "",
      at: pointerTo("", ...path.slice(0, -1)),
      message: `\`${last}\` is left out: ${error.message}`,
    });
    return true;
  }
  if (error.code === "invalid-default") return dropDefault(at(policy, path), error, items);
  if (isKeyword && CAN_GO.has(last) && isObject(parent) && Object.hasOwn(parent, last)) {
    delete (parent as Node)[last];
    items.push({
      kind: "lost",
      code: "keyword",
      source: "",
      at: error.pointer,
      message: `\`${last}\` is left out: ${error.message}`,
    });
    return true;
  }
  const whole = schemaAbove(policy, path);
  if (whole === undefined) return dropParameter(policy, path, error, items);
  items.push({
    kind: "lost",
    code: "schema",
    source: "",
    at: pointerTo("", ...whole),
    message: `nothing fits this until somebody writes it: ${error.message}`,
  });
  return put(policy, whole, false);
}

/** Of the query alone: there, what no schema names is refused. */
function dropParameter(policy: Node, path: readonly string[], error: Diagnostic, items: Item[]): boolean {
  const [, route = "", , carrier, name = ""] = path;
  const query = at(policy, path.slice(0, 4));
  if (carrier !== "query" || !isObject(query) || !Object.hasOwn(query, name)) return false;
  delete (query as Node)[name];
  items.push({
    kind: "lost",
    code: "parameter",
    source: "",
    at: pointerTo("/routes", route, "request", "query"),
    message: `the parameter \`${name}\` is refused: ${error.message}`,
  });
  return true;
}

/** It is told at the schema, not at the keyword. */
function dropDefault(schema: unknown, error: Diagnostic, items: Item[]): boolean {
  if (!isObject(schema) || !Object.hasOwn(schema, "default")) return false;
  delete (schema as Node)["default"];
  items.push({
    kind: "lost",
    code: "keyword",
    source: "",
    at: error.pointer,
    message: `\`default\` is left out: ${error.message}`,
  });
  return true;
}

/** The nearest schema around a place that is not closed already: a member of a map, or an entry of a list. */
function schemaAbove(policy: Node, path: readonly string[]): readonly string[] | undefined {
  for (let length = path.length; length > 1; length--) {
    const above = path[length - 2] ?? "";
    const inList =
      /^\d+$/u.test(path[length - 1] ?? "") && ["allOf", "anyOf", "oneOf", "prefixItems"].includes(above);
    const isSchema =
      MAPS.has(above) || inList || ["items", "body", "additionalProperties"].includes(path[length - 1] ?? "");
    const here = path.slice(0, length);
    const value = at(policy, here);
    // The shape that parameters must have leaves no room for `false`.
    const parameter = ["params", "query", "headers", "cookies"].includes(above) && here.length === 5;
    if (isSchema && value !== undefined && value !== false && !parameter) return here;
  }
  return undefined;
}

function dropResponse(policy: Node, route: string, error: Diagnostic, items: Item[]): boolean {
  const settings = at(policy, ["routes", route]);
  if (!isObject(settings) || !Object.hasOwn(settings, "response") || settings["response"] === false)
    return false;
  (settings as Node)["response"] = false;
  items.push({
    kind: "lost",
    code: "answer",
    source: "",
    at: pointerTo("/routes", route, "response"),
    message: `no body leaves, because the schema cannot be projected: ${error.message} (at ${error.pointer}): write one that can`,
  });
  return true;
}

function dropRoute(policy: Node, route: string, error: Diagnostic, items: Item[]): boolean {
  const routes = policy["routes"];
  if (!isObject(routes) || !Object.hasOwn(routes, route)) return false;
  delete (routes as Node)[route];
  items.push({
    kind: "lost",
    code: "route",
    source: "",
    message: `\`${route}\` is no route of the policy, and is refused (404): ${error.message} (at ${error.pointer})`,
  });
  return true;
}

function routesThatAnswerWith(policy: Node, pointer: string): readonly string[] {
  const document = policy as unknown as PolicyDocument;
  return Object.entries(document.routes).flatMap(([route, { response }]) => {
    if (typeof response !== "object" || response === null) return [];
    const schemas: readonly unknown[] = [
      response.body,
      response.events,
      ...Object.values(response.bodies ?? {}),
    ];
    const reached = schemas.some((schema) =>
      placesOf(schema, "", document).some(
        (place) =>
          place.pointer !== "" && (pointer === place.pointer || pointer.startsWith(`${place.pointer}/`)),
      ),
    );
    return reached ? [route] : [];
  });
}

function segmentsOf(pointer: string): readonly string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function at(root: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => {
    if (Array.isArray(value)) return value[Number(key)] as unknown;
    return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }, root);
}

function put(root: Node, path: readonly string[], value: unknown): boolean {
  const parent = at(root, path.slice(0, -1));
  const key = path.at(-1) ?? "";
  if (Array.isArray(parent)) parent[Number(key)] = value;
  else if (isObject(parent)) (parent as Node)[key] = value;
  else return false;
  return true;
}
