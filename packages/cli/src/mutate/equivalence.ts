/**
 * Mutants that are the same policy in other words: no test could tell them apart. Only what follows from the language itself is used, so
 * that a mutant which is told to be equivalent is. What is equivalent for deeper reasons counts as a survivor.
 */
import type { PolicyDocument } from "@gatehouse/core";
import { isList, isRecord } from "../lib/json.js";
import { pointerTo } from "../lib/pointer.js";
import { routesOf } from "../lib/routes.js";
import { answersIn, isUnused } from "./sides.js";

export function isEquivalent(policy: PolicyDocument, mutant: PolicyDocument): boolean {
  return canonical(normal(policy)) === canonical(normal(mutant));
}

/** Members in one order: what a document says does not hang on it. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    isRecord(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

/** What stands for a key that is left out, by where it is: nothing else is inherited there. A test holds it to the language's own words. */
export const DEFAULTS: readonly {
  readonly of: string;
  readonly at: readonly string[];
  readonly values: Readonly<Record<string, unknown>>;
}[] = [
  { of: "TransportSettings", at: ["transport"], values: { https: "require" } },
  {
    of: "HstsSettings",
    at: ["transport", "hsts"],
    values: { maxAge: "365d", includeSubDomains: true, preload: false },
  },
  { of: "CorsSettings", at: ["cors"], values: { credentials: false, enforce: false } },
  {
    of: "ShedSettings",
    at: ["shed"],
    values: { retryAfter: "1s", mode: "enforce" },
  },
  { of: "ErrorsSettings", at: ["errors"], values: { correlation: "X-Request-Id", expose: "code" } },
  {
    of: "LimitSettings",
    at: ["limits", "*"],
    values: {
      algorithm: "sliding-window",
      zone: "UTC",
      cost: 1,
      count: "all",
      mode: "enforce",
      onStoreFailure: "local",
    },
  },
  {
    of: "JwtSettings",
    at: ["authenticators", "*"],
    values: { in: "header", scheme: "Bearer", clockTolerance: "0s" },
  },
];

type Writable = Record<string, unknown>;

function normal(policy: PolicyDocument): unknown {
  const document = structuredClone(policy) as unknown as Writable;
  fillDefaults(document);
  closeRoles(document);
  const { limits, schemas, routes, transport } = document;
  // Pages alone are redirected.
  if (
    isWritable(transport) &&
    transport["https"] === "redirect" &&
    !JSON.stringify(policy).includes('"audience":"browser"')
  )
    transport["https"] = "require";
  for (const level of [
    document["defaults"],
    ...Object.values(isWritable(document["groups"]) ? document["groups"] : {}),
  ])
    if (isWritable(level)) for (const name of ["limits", "shed"]) delete level[name];
  if (isWritable(limits))
    for (const name of Object.keys(limits)) if (!isTaken(policy, name)) delete limits[name];
  const isAnswer = answersIn(policy);
  if (isWritable(schemas))
    for (const [name, schema] of Object.entries(schemas)) {
      if (isUnused(policy, name)) delete schemas[name];
      else if (isAnswer(pointerTo("/schemas", name))) impliedTypes(schema);
    }
  for (const view of routesOf(policy)) {
    const route = isWritable(routes) ? routes[view.key] : undefined;
    if (!isWritable(route)) continue;
    if (policy.shed !== undefined) route["shed"] = view.setting("shed")?.value ?? "default";
    // Spelled out; on open routes what counts by the principal is not inherited.
    route["limits"] = view.limits.filter(
      (name) => !view.open || !JSON.stringify(policy.limits?.[name] ?? {}).includes("principal."),
    );
    // Who got past `require` of a group is known.
    if (route["authorize"] === "authenticated" && !view.open && !view.optional && view.demands.length > 1)
      delete route["authorize"];
  }
  forEach(document, (record, name) => {
    if (name === "response") for (const member of ["body", "events"]) impliedTypes(record[member]);
    if (name !== "request") return;
    for (const part of ["params", "query", "headers", "cookies"])
      if (isWritable(record[part])) for (const schema of Object.values(record[part])) textType(schema);
  });
  return document;
}

function fillDefaults(document: Writable): void {
  const transport = (document["transport"] ??= {});
  if (isWritable(transport) && (transport["https"] ?? "require") !== "off") transport["hsts"] ??= {};
  document["errors"] ??= {};
  for (const { of, at, values } of DEFAULTS) {
    for (const record of placesAt(document, at)) {
      if (of === "JwtSettings" && record["type"] !== "jwt") continue;
      for (const [name, value] of Object.entries(values)) record[name] ??= value;
      if (of !== "JwtSettings") continue;
      const map = (record["principal"] ??= {});
      if (isWritable(map)) {
        map["id"] ??= "sub";
        map["scopes"] ??= "scope";
      }
    }
  }
}

function placesAt(value: unknown, [first, ...rest]: readonly string[]): readonly Writable[] {
  if (!isWritable(value)) return [];
  if (first === undefined) return [value];
  const inner = first === "*" ? Object.values(value) : [value[first]];
  return inner.flatMap((one) => placesAt(one, rest));
}

/** A role that includes another one that will do as well adds nothing beside it, and what is included by a way round is included. */
function closeRoles(document: Writable): void {
  const { roles } = document;
  if (!isWritable(roles)) return;
  const closed = new Map(Object.keys(roles).map((role) => [role, closureOf(role, roles)]));
  for (const [role, all] of closed) roles[role] = [...all].filter((one) => one !== role).sort();
  for (const name of ["defaults", "groups", "routes"])
    forEach(document[name], (record) => {
      const list = record["roles"];
      if (!isList(list)) return;
      const needed = list.filter(
        (role) =>
          !list.some((other) => other !== role && closed.get(String(role))?.has(String(other)) === true),
      );
      record["roles"] = [...new Set(needed.map(String))].sort();
    });
}

function closureOf(role: string, roles: Writable, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(role)) return seen;
  seen.add(role);
  const included = roles[role];
  for (const other of isList(included) ? included : []) closureOf(String(other), roles, seen);
  return seen;
}

function isTaken({ global: whole, defaults, groups = {}, routes }: PolicyDocument, name: string): boolean {
  return [whole, defaults, ...Object.values(groups), ...Object.values(routes)].some(
    (level) => level?.limits?.includes(name) === true,
  );
}

/** What leaves by a schema with `properties` is an object, by one with `items` a list, whether or not `type` says it. */
function impliedTypes(value: unknown): void {
  forEach(value, (schema) => {
    const object = isRecord(schema["properties"]);
    const list = isRecord(schema["items"]);
    if (
      schema["type"] === (object ? "object" : "array") &&
      object !== list &&
      !("enum" in schema) &&
      !("const" in schema)
    )
      delete schema["type"];
  });
}

/** A parameter is text, where nothing says otherwise. */
function textType(schema: unknown): void {
  if (!isWritable(schema) || schema["type"] !== "string") return;
  if (["enum", "const", "$ref", "allOf", "anyOf", "oneOf"].some((name) => name in schema)) return;
  // Alone it is what is said of a parameter at all.
  if (Object.keys(schema).some((name) => ["format", "pattern", "minLength", "maxLength"].includes(name)))
    delete schema["type"];
}

function forEach(value: unknown, visit: (record: Writable, name: string) => void, name = ""): void {
  if (isList(value)) value.forEach((item) => forEach(item, visit, name));
  if (!isWritable(value)) return;
  visit(value, name);
  for (const [inner, member] of Object.entries(value)) forEach(member, visit, inner);
}

function isWritable(value: unknown): value is Writable {
  return isRecord(value);
}
