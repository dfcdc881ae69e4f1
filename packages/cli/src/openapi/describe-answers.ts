/** What an operation answers: what leaves of the handler's answers, and what the engine refuses with. */
import type { PolicyDocument } from "@gatehouse/core";
import type { RouteView } from "../lib/routes.js";
import type { SchemaBook } from "./schema-book.js";

type Node = Record<string, unknown>;

const TITLES: Readonly<Record<string, string>> = {
  "400": "The request, its parameters or its content cannot be read",
  "401": "No credential that is accepted",
  "403": "Not allowed",
  "404": "Not found",
  "413": "The content is too large",
  "415": "Content of this type is not accepted",
  "422": "The content does not fit its schema",
  "429": "Too many requests",
  "500": "A fault on the server's side",
  "503": "Something that is needed does not answer",
};

/** Statuses with which the engine itself may refuse a request for the route. */
export function refusalStatuses(view: RouteView): readonly string[] {
  const { document } = view;
  const body = view.request("body") !== undefined;
  const writes = view.methods.some((method) => !["GET", "HEAD", "DELETE", "OPTIONS"].includes(method));
  const guarded = !view.open && !(view.optional && view.demands.length === 0);
  const limited = view.limits.length > 0 || (document.global?.limits ?? []).length > 0;
  return [
    "400",
    ...(view.open ? [] : ["401"]),
    // Plain HTTP is refused so too, on open routes as well.
    ...(guarded || document.transport?.https !== "off" ? ["403"] : []),
    ...(view.setting("conceal")?.value === true ? ["404"] : []),
    ...(body || writes ? ["413", "415"] : []),
    ...(body ? ["422"] : []),
    ...(limited ? ["429"] : []),
    "500",
    "503",
  ];
}

export function answersOf(view: RouteView, book: SchemaBook, hint: string, plain: boolean): Node {
  const answers: Node = {};
  for (const [status, schema] of ownAnswers(view))
    answers[status] = {
      description: descriptionOf(status, view),
      ...(limitsShow(view) ? { headers: rateLimitHeaders() } : {}),
      ...(schema === undefined ? {} : { content: contentOf(schema, view, book, `${hint}-${status}`, plain) }),
    };
  for (const status of refusalStatuses(view)) {
    const name = status === "429" && !limitsShow(view) ? "refusal-429-plain" : `refusal-${status}`;
    answers[status] ??= { $ref: `#/components/responses/${name}` };
  }
  return answers;
}

/** Status to schema; undefined where a body is nobody's business, or there is none. */
function ownAnswers(view: RouteView): readonly (readonly [string, unknown])[] {
  const response = view.setting("response");
  if (response?.value === false) return [["2XX", undefined]];
  const shaped = responseOf(view);
  if (shaped.bodies !== undefined)
    return Object.entries(shaped.bodies).map(([status, schema]) => [status.replace("xx", "XX"), schema]);
  return [["2XX", shaped.body ?? (shaped.events === undefined ? undefined : false)]];
}

interface Shaped {
  readonly body?: unknown;
  readonly bodies?: Readonly<Record<string, unknown>>;
  readonly events?: unknown;
  readonly redact?: unknown;
}

/** Each member of `response` is a key of its own, but `body` and `bodies` are one. */
export function responseOf(view: RouteView): Shaped {
  const found: {
    body?: unknown;
    bodies?: Readonly<Record<string, unknown>>;
    events?: unknown;
    redact?: unknown;
  } = {};
  for (const response of view.written("response")) {
    if (response === false) break;
    if (found.body === undefined && found.bodies === undefined) {
      if (response.body !== undefined) found.body = response.body;
      else if (response.bodies !== undefined) found.bodies = response.bodies;
    }
    if (found.events === undefined && response.events !== undefined) found.events = response.events;
    if (found.redact === undefined && response.redact !== undefined) found.redact = response.redact;
  }
  return found;
}

function contentOf(schema: unknown, view: RouteView, book: SchemaBook, hint: string, plain: boolean): Node {
  const { events } = responseOf(view);
  const json =
    schema === false && events !== undefined
      ? {}
      : { "application/json": { schema: book.describe(schema, hint) } };
  if (events === undefined) return json;
  const event = book.describe(events, `${hint}-event`);
  // OpenAPI 3.1 knows no schema of each event.
  return {
    ...json,
    "text/event-stream": { schema: { type: "string" }, ...(plain ? {} : { "x-gatehouse-events": event }) },
  };
}

function descriptionOf(status: string, view: RouteView): string {
  if (view.setting("response")?.value === false) return "No body leaves";
  if (ownAnswers(view).every(([, schema]) => schema === undefined)) return "The handler's answer, as it is";
  return status === "default" ? "Every other answer" : "What is declared here leaves, and nothing else";
}

function limitsShow(view: RouteView): boolean {
  return view.limits.some((name) => reveals(view.document, name));
}

function reveals({ limits }: PolicyDocument, name: string): boolean {
  const limit = limits?.[name];
  if (limit === undefined) return false;
  const by = [limit.by ?? []].flat().map((fact) => (typeof fact === "string" ? fact : fact.fact));
  const hidden =
    limit.mode === "observe" ||
    (limit.count ?? "all") !== "all" ||
    by.some((fact) => /^(body|headers)\./u.test(fact));
  return limit.reveal ?? !hidden;
}

/** draft-ietf-httpapi-ratelimit-headers-10 */
function rateLimitHeaders(): Node {
  return {
    RateLimit: { description: "What is left of the limits", schema: { type: "string" } },
    "RateLimit-Policy": { description: "The limits that were asked", schema: { type: "string" } },
  };
}

const PROBLEM = {
  type: "object",
  required: ["type", "title", "status"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    instance: { type: "string" },
    code: { type: "string" },
    correlation: { type: "string" },
    errors: {
      type: "array",
      items: {
        type: "object",
        properties: {
          pointer: { type: "string" },
          rule: { type: "string" },
          message: { type: "string" },
        },
      },
    },
  },
};

/** A response for each status, marked as the engine's own: read back, it is no answer of the handler's. */
export function refusalResponses(
  statuses: ReadonlySet<string>,
  { errors }: PolicyDocument,
  plain: boolean,
): Node {
  const templates = Object.keys(errors?.bodies ?? {}).length > 0;
  const content = {
    "application/problem+json": { schema: PROBLEM },
    // Which codes have a template is not told apart here.
    ...(templates ? { "application/json": {} } : {}),
  };
  const mark = plain ? {} : { "x-gatehouse-refusal": true };
  const made = [...statuses].sort().map(
    (status) =>
      [
        `refusal-${status}`,
        {
          description: TITLES[status] ?? "Refused",
          ...headersOf(status),
          content,
          ...mark,
        },
      ] as const,
  );
  const entries = made.flatMap(([name, response]) =>
    name === "refusal-429"
      ? [[name, response] as const, [`${name}-plain`, { ...response, ...retryAlone() }] as const]
      : [[name, response] as const],
  );
  return Object.fromEntries(entries);
}

const RETRY = { "Retry-After": { description: "Seconds, never early", schema: { type: "integer" } } };

function retryAlone(): Node {
  return { headers: RETRY };
}

function headersOf(status: string): Node {
  if (status === "401")
    return {
      headers: { "WWW-Authenticate": { description: "What would be accepted", schema: { type: "string" } } },
    };
  if (status === "429") return { headers: { ...RETRY, ...rateLimitHeaders() } };
  return {};
}
