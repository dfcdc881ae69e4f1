/** A policy from a model of an API: the strict reading of what is described, with each decision listed. */
import { pointerTo } from "../lib/pointer.js";
import { isSensitive } from "../audit/sensitive.js";
import { Access } from "./access.js";
import type { Item } from "./list.js";
import type { Answer, ApiModel, Body, Carrier, Operation, Parameter } from "./model.js";
import { isJson } from "./read.js";
import { isObject } from "./source.js";

type Settings = Record<string, unknown>;

export interface Drafted {
  readonly policy: Settings;
  readonly items: readonly Item[];
}

export function draftPolicy(model: ApiModel): Drafted {
  const items: Item[] = [];
  const tell = (item: Item): void => void items.push(item);
  const name = nameFrom(model.title);
  const access = new Access(model, name, tell);
  const routes = Object.fromEntries(
    model.operations.map((operation) => {
      const key = `${operation.method} ${operation.path}`;
      return [key, routeOf(operation, pointerTo("/routes", key), access, tell)];
    }),
  );
  const guessed = model.operations.some(isLogin);
  if (model.hosts.length === 0)
    tell({
      kind: "decide",
      code: "hosts",
      source: "#/servers",
      at: "/transport",
      message: "under which hosts the API is reached (`hosts`): no server of the description says it",
    });
  tell({
    kind: "decide",
    code: "limits",
    source: "",
    at: "/limits",
    message: "how much is too much: these numbers are a guess",
  });
  tell({
    kind: "note",
    code: "closed-query",
    source: "",
    at: "/defaults/request/query",
    message: "query parameters that the description does not have are refused",
  });
  return {
    items,
    policy: {
      $schema: "./node_modules/@gatehouse/core/policy.schema.json",
      gatehouse: 1,
      name,
      transport: { https: "require", ...(model.hosts.length > 0 ? { hosts: model.hosts } : {}) },
      ...(Object.keys(access.authenticators).length > 0 ? { authenticators: access.authenticators } : {}),
      limits: {
        flood: { limit: 600, window: "1m", by: "client.ip", reveal: false },
        "per-client": { limit: 100, window: "1m", by: "client.ip" },
        ...(guessed ? { guessing: { limit: 10, window: "15m", by: "client.ip", count: "failures" } } : {}),
      },
      ...(Object.keys(model.schemas).length > 0 ? { schemas: model.schemas } : {}),
      global: { limits: ["flood"] },
      defaults: { limits: ["per-client"], request: { query: {} } },
      routes,
    },
  };
}

function nameFrom(title: string): string {
  const plain = title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/gu, "-")
    .replaceAll(/^-+|-+$/gu, "");
  return plain.slice(0, 100) || "api";
}

function isLogin({ method, path }: Operation): boolean {
  return method === "POST" && isSensitive(path);
}

function routeOf(operation: Operation, at: string, access: Access, tell: (item: Item) => void): Settings {
  if (operation.deprecated)
    tell({
      kind: "lost",
      code: "deprecated",
      source: operation.source,
      at,
      message: "it is deprecated, and nobody says since when: write `deprecated` with `since`",
    });
  const request = requestOf(operation, at, tell);
  const response = responseOf(operation, at, tell);
  return {
    ...(operation.summary === undefined ? {} : { description: operation.summary }),
    ...access.of(operation, at),
    ...(isLogin(operation) ? { limits: ["inherited", "guessing"] } : {}),
    ...(Object.keys(request).length > 0 ? { request } : {}),
    ...(response === undefined ? {} : { response }),
  };
}

const MEMBERS: readonly (readonly [Carrier, string])[] = [
  ["path", "params"],
  ["query", "query"],
  ["header", "headers"],
  ["cookie", "cookies"],
];

function requestOf(operation: Operation, at: string, tell: (item: Item) => void): Settings {
  const request: Settings = {};
  for (const [carrier, member] of MEMBERS) {
    const described = operation.parameters
      .filter((one) => one.in === carrier)
      // Without a schema a path parameter is any text, which is what it is anyhow.
      .filter((one) => carrier !== "path" || one.schema !== undefined);
    if (described.length > 0)
      request[member] = Object.fromEntries(described.map((one) => [one.name, parameterSchema(one)]));
  }
  return { ...request, ...bodyOf(operation, at, tell) };
}

function parameterSchema({ schema, required, in: carrier }: Parameter): unknown {
  const plain = isObject(schema) ? schema : schema === false ? { not: {} } : {};
  return required && carrier !== "path" ? { ...plain, required: true } : plain;
}

function bodyOf({ body, source }: Operation, at: string, tell: (item: Item) => void): Settings {
  if (body === undefined) return {};
  const json = body.types.filter((type) => isJson({ type }));
  const others = body.types.filter((type) => !isJson({ type }));
  if (body.schema === undefined) {
    tell({
      kind: "decide",
      code: "unread-body",
      source,
      at: pointerTo(at, "request"),
      message: `the content (${body.types.join(", ") || "of no type"}) is handed on unread: its form is not described, or is none that is read`,
    });
    const types = body.types.filter((type) => type !== "*/*");
    return types.length > 0 && types.length === body.types.length ? { types } : {};
  }
  if (others.length > 0)
    tell({
      kind: "lost",
      code: "media-type",
      source,
      at: pointerTo(at, "request"),
      message: `content of the type ${others.map((type) => `\`${type}\``).join(", ")} is refused: where a schema holds, JSON alone is read`,
    });
  return {
    body: body.schema,
    ...(body.required ? {} : { bodyOptional: true }),
    ...jsonTypes(json, body),
  };
}

/** The default takes `application/json` and whatever ends in `+json`. */
function jsonTypes(json: readonly string[], { types }: Body): Settings {
  return types.includes("application/json") || types.includes("*/*") ? {} : { types: json };
}

const NO_BODY: ReadonlySet<string> = new Set(["204", "205", "304"]);

function responseOf({ answers, source, noBody }: Operation, at: string, tell: (item: Item) => void): unknown {
  if (noBody) return false;
  const events = answers.find((one) => one.events !== undefined)?.events;
  const shaped = answersOf(answers, source, at, tell);
  if (events === undefined) return shaped;
  return { ...(isObject(shaped) ? shaped : {}), events };
}

function answersOf(
  answers: readonly Answer[],
  source: string,
  at: string,
  tell: (item: Item) => void,
): unknown {
  const own = answers.filter((one) => isStatus(one.status));
  for (const { status } of answers.filter((one) => !isStatus(one.status) && one.types.length > 0))
    tell({
      kind: "note",
      code: "status",
      source,
      message: `what \`${status}\` says of a body is not needed: bodies of 5xx never leave, and others have none`,
    });
  const good = own.filter(({ status }) => status.startsWith("2"));
  const unread = good.filter(
    ({ schema, events, status }) => schema === undefined && events === undefined && !NO_BODY.has(status),
  );
  if (unread.length > 0) {
    tell({
      kind: "decide",
      code: "unread-answer",
      source,
      at,
      message: `answers (${unread.map(({ status, types }) => `${status}${types.length > 0 ? ` ${types.join(", ")}` : ""}`).join("; ")}) have no JSON schema, so all that the handler writes leaves: write \`response\`, or \`"response": false\``,
    });
    return undefined;
  }
  const schemas = own.filter((one) => one.schema !== undefined);
  const described = schemas.filter((one) => !isProblem(one) || hasOwnErrors(schemas));
  if (described.length < schemas.length)
    tell({
      kind: "note",
      code: "problem",
      source: "",
      message:
        "refusals as `application/problem+json` are what the policy itself sends, and a handler's leave as far as they have its members",
    });
  if (described.length === 0)
    return good.length > 0 && good.every(({ status }) => NO_BODY.has(status)) ? false : undefined;
  const [only, ...others] = described;
  if (
    only !== undefined &&
    others.length === 0 &&
    only.status.startsWith("2") &&
    (only.status === "2xx" || good.length === 1)
  )
    return { body: only.schema };
  tell({
    kind: "note",
    code: "statuses",
    source: "",
    message: "where answers are described by status, one of a status that is not is withheld (500)",
  });
  return { bodies: Object.fromEntries(described.map(({ status, schema }) => [status, schema])) };
}

function isStatus(status: string): boolean {
  return /^([2-4][0-9]{2}|[2-4]xx|default)$/u.test(status);
}

function isProblem({ status, types }: Answer): boolean {
  return !status.startsWith("2") && types.length === 1 && types[0] === "application/problem+json";
}

function hasOwnErrors(answers: readonly Answer[]): boolean {
  return answers.some((one) => !one.status.startsWith("2") && !isProblem(one));
}
