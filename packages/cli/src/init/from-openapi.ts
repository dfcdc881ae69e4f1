/** A policy from an OpenAPI document, with all that a person has to decide. */
import { parsePolicy, PolicyError, type Diagnostic, type PolicyDocument } from "@gatehouse/core";
import { audit } from "../audit/audit.js";
import { POLICY_FILES } from "../lib/policy-name.js";
import { writeJsonc } from "../openapi/jsonc.js";
import type { Item } from "../openapi/list.js";
import { mendPolicy } from "../openapi/mend.js";
import { readOpenApi } from "../openapi/read.js";
import type { SourceLoader } from "../openapi/references.js";
import { filesBeside } from "../openapi/files.js";
import { draftPolicy } from "../openapi/to-policy.js";

export interface OpenApiPolicy {
  /** JSON with comments: each decision stands above its place. */
  readonly text: string;
  /** Policy tests that pass: what the description keeps from anonymous callers is kept from them. */
  readonly tests: string;
  readonly items: readonly Item[];
}

export interface FromOpenApiOptions {
  /** Path of the document: files that it refers to are read below its folder and the current one. Without it, it may refer to none. */
  readonly file?: string | undefined;
  /** Instead of the file system. */
  readonly loader?: SourceLoader | undefined;
  /** Milliseconds since the epoch, for findings that depend on it. Default: now. */
  readonly now?: number | undefined;
}

/**
 * Nothing that the document leaves open is guessed to be allowed, and nothing is dropped without a line in `items`. Nothing is fetched.
 * @param text OpenAPI 3.0 or 3.1, JSON or YAML
 * @throws OpenApiError (rejects) for what is no such document
 * @throws PolicyError (rejects) where no policy comes of it that can be served
 */
export async function policyFromOpenApi(
  text: string,
  options: FromOpenApiOptions = {},
): Promise<OpenApiPolicy> {
  const { file, now = Date.now() } = options;
  const { model, items: read } = await readOpenApi(
    text,
    file ?? "<text>",
    options.loader ?? filesBeside(file),
  );
  const { policy, items: drafted } = draftPolicy(model);
  const items = [...read, ...drafted];
  const refused: readonly Diagnostic[] = await mendPolicy(policy, items);
  if (refused.length > 0) throw new PolicyError(refused);
  pruneSchemas(policy);
  // What an audit finds is what a person has to look at.
  for (const { rule, pointer, message, mend } of audit(policy as unknown as PolicyDocument, { now })) {
    if (items.some(({ code, at }) => SAME.get(code) === rule && at?.startsWith(pointer) === true)) continue;
    items.push({ kind: "decide", code: rule, source: "", at: pointer, message: `${message}: ${mend}` });
  }
  const written = withComments(policy, items);
  // What was judged is what stands there: no comment has become policy, and the text can be read.
  if (JSON.stringify(parsePolicy(written)) !== JSON.stringify(policy))
    throw new Error("the text of the policy says something else than the policy");
  return { text: written, tests: testsOf(policy), items };
}

/** What was told already, to the rule of the audit that finds the same. */
const SAME: ReadonlyMap<string, string> = new Map([
  ["unread-answer", "response-without-schema"],
  ["unread-body", "body-without-schema"],
  ["hosts", "any-host"],
]);

const HEAD = [
  "Written from an OpenAPI document by `gatehouse init`. It is strict where the document was silent, and",
  "a person has to look at each comment before it is served:",
  "`decide` is for somebody to say; `lost` is what the document said and this policy does not.",
];

function withComments(policy: object, items: readonly Item[]): string {
  const comments = new Map<string, string[]>();
  for (const { kind, at, message } of items) {
    if (kind === "note" || at === undefined) continue;
    const pointer = nearest(policy, at);
    const line = `${kind}: ${message}`;
    const lines = comments.get(pointer) ?? [];
    if (!lines.includes(line)) comments.set(pointer, [...lines, line]);
  }
  return writeJsonc(policy, HEAD, comments);
}

/** The place itself, or the nearest around it that is there. */
function nearest(policy: unknown, pointer: string): string {
  let value = policy;
  let found = "";
  for (const segment of pointer.split("/").slice(1)) {
    const key = segment.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return found;
    value = (value as Readonly<Record<string, unknown>>)[key];
    found += `/${segment}`;
  }
  return found;
}

/** What answers that were closed referred to is not needed any more. */
function pruneSchemas(policy: Record<string, unknown>): void {
  const schemas = policy["schemas"] as Record<string, unknown> | undefined;
  if (schemas === undefined) return;
  const used = new Set<string>();
  const look = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    const reference = (value as { readonly $ref?: unknown }).$ref;
    const name = typeof reference === "string" ? /^#\/schemas\/([^/]+)$/u.exec(reference)?.[1] : undefined;
    if (name !== undefined && !used.has(name)) {
      used.add(name);
      look(schemas[name]);
    }
    for (const inner of Object.values(value)) look(inner);
  };
  look(policy["routes"]);
  for (const name of Object.keys(schemas)) if (!used.has(name)) delete schemas[name];
  if (Object.keys(schemas).length === 0) delete policy["schemas"];
}

function testsOf(policy: Record<string, unknown>): string {
  const routes = Object.entries(
    policy["routes"] as Readonly<Record<string, { readonly authenticate?: unknown }>>,
  );
  const closed = routes.filter(
    ([, { authenticate }]) =>
      authenticate !== "none" && !(Array.isArray(authenticate) && authenticate[0] === "optional"),
  );
  const refused = closed.map(([key]) => ({
    name: `nobody calls ${key} without a credential`,
    request: targetOf(
      key,
      routes.map(([one]) => one),
    ),
    expect: { status: 401, code: "unauthenticated", route: key },
  }));
  const unknown = {
    name: "a route that stands nowhere is refused",
    request: "GET /-/nowhere/at/all",
    expect: { status: 404, code: "not-found" },
  };
  return writeJsonc(
    {
      $schema: "./node_modules/@gatehouse/core/policy-test.schema.json",
      policy: POLICY_FILES[0],
      tests: routes.some(([key]) => key.endsWith("*"))
        ? refused.length > 0
          ? refused
          : [unknown]
        : [...refused, unknown],
    },
    ["Run with: npx gatehouse test"],
    new Map(),
  );
}

/** A value of a parameter that is no static text of a sibling's, which would go before it. */
function targetOf(key: string, all: readonly string[]): string {
  const [method = "", ...rest] = key.split(" ");
  const path = rest.join(" ");
  const texts = new Set(all.flatMap((one) => one.split(/[ /]/u)));
  let filler = "x1";
  while (texts.has(filler)) filler += "x";
  const target = path
    .split("/")
    .map((segment) => (segment.startsWith(":") || segment === "*" ? filler : encodeURIComponent(segment)))
    .join("/");
  return `${method} ${target}`;
}
