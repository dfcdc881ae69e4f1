/** What the caller and the handler see of an exchange, and how a test would say it. */
import type { Expectation, SeenDecision } from "@gatehouse/core/testing";
import { isRecord } from "../lib/json.js";
import { pointerTo } from "../lib/pointer.js";
import { canonical } from "./equivalence.js";

type Result = SeenDecision["result"];

/** Ids and instants of one answer: they differ from run to run. */
const OF_ONE_ANSWER = new Set(["instance", "correlation", "requestId"]);

/** The same text for the same answer. */
export function observed(result: Result): string {
  return canonical([
    result.outcome,
    result.stage,
    result.code,
    result.status,
    result.concealed,
    fieldsOf(result),
    isRecord(result.body) ? plainBody(result) : result.text,
    handlerOf(result),
  ]);
}

function fieldsOf({ fields, code }: Result): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    // An id of its own, and a wait in which chance has a part.
    if (
      lower === "x-request-id" ||
      lower === "content-length" ||
      (lower === "retry-after" && code === "rate-limited")
    )
      continue;
    found[lower] = found[lower] === undefined ? value : `${found[lower]}, ${value}`;
  }
  return found;
}

function plainBody({ body }: Result): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(isRecord(body) ? body : {}).filter(([name]) => !OF_ONE_ANSWER.has(name)),
  );
}

function handlerOf({ handler }: Result): unknown {
  if (handler === undefined) return undefined;
  const { principal, params, query, headers, cookies, body, observed } = handler;
  return {
    principal: principal === null ? null : known(principal),
    params,
    query,
    headers,
    cookies,
    body,
    observed,
  };
}

/** The claims of a token are not its policy's; what was made of them is. */
function known(principal: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { claims: _, ...rest } = principal;
  return rest;
}

/** What holds of `wanted` and not of `other`, in the words of a test, with what makes it readable. */
export function expectationOf(wanted: Result, other: Result): Expectation {
  const expect: Record<string, unknown> = { outcome: wanted.outcome };
  if (wanted.outcome === "refuse") expect["code"] = wanted.code;
  if (wanted.stage !== undefined && wanted.stage !== other.stage) expect["stage"] = wanted.stage;
  if (wanted.status !== other.status || wanted.outcome !== other.outcome) expect["status"] = wanted.status;
  if (wanted.concealed !== other.concealed) expect["concealed"] = wanted.concealed ?? false;
  // Where another answer goes out, all of it differs: what was decided says enough.
  if (wanted.outcome !== other.outcome || wanted.code !== other.code) return expect;
  const headers = differing(fieldsOf(wanted), fieldsOf(other));
  if (headers !== undefined) expect["headers"] = headers;
  addBody(wanted, other, expect);
  const handler =
    wanted.handler === undefined || other.handler === undefined
      ? undefined
      : handlerDifference(wanted, other);
  if (handler !== undefined) expect["handler"] = handler;
  if (canonical(wanted.handler?.observed) !== canonical(other.handler?.observed))
    expect["observed"] = (wanted.handler?.observed ?? []).map(({ code }) => code);
  return expect;
}

function addBody(wanted: Result, other: Result, expect: Record<string, unknown>): void {
  const [mine, theirs] = [plainBody(wanted), plainBody(other)];
  if (!isRecord(wanted.body)) {
    if (wanted.text === other.text) return;
    if (wanted.body === undefined) expect["text"] = wanted.text;
    else expect["body"] = wanted.body;
  } else if (wanted.outcome === "admit" && wanted.status < 400) {
    if (canonical(mine) !== canonical(theirs)) expect["body"] = wanted.body;
  } else {
    const members = Object.keys(mine).filter((name) => canonical(mine[name]) !== canonical(theirs[name]));
    if (members.includes("errors")) {
      expect["errors"] = problemsOf(mine["errors"]);
      members.splice(members.indexOf("errors"), 1);
    }
    if (members.length > 0)
      expect["members"] = Object.fromEntries(members.map((name) => [pointerTo("", name), mine[name]]));
    const absent = Object.keys(theirs).filter((name) => !Object.hasOwn(mine, name));
    if (absent.length > 0) expect["absent"] = absent.map((name) => pointerTo("", name));
  }
}

function problemsOf(errors: unknown): unknown {
  if (!Array.isArray(errors)) return undefined;
  return (errors as readonly unknown[]).map((one) =>
    isRecord(one) ? { pointer: one["pointer"], rule: one["rule"] } : one,
  );
}

function differing(
  wanted: Readonly<Record<string, string>>,
  other: Readonly<Record<string, string>>,
): Readonly<Record<string, string | null>> | undefined {
  const names = [...new Set([...Object.keys(wanted), ...Object.keys(other)])].filter(
    (name) => wanted[name] !== other[name],
  );
  return names.length === 0
    ? undefined
    : Object.fromEntries(names.sort().map((name) => [name, wanted[name] ?? null]));
}

function handlerDifference(wanted: Result, other: Result): Readonly<Record<string, unknown>> | undefined {
  const found: Record<string, unknown> = {};
  const [mine, theirs] = [wanted.handler, other.handler];
  if (mine === undefined || theirs === undefined) return undefined;
  for (const part of ["params", "query", "headers", "cookies", "body"] as const)
    if (canonical(mine[part]) !== canonical(theirs[part]) && mine[part] !== undefined)
      found[part] = mine[part];
  const [own, others] = [mine.principal, theirs.principal].map((one) => (one === null ? {} : known(one)));
  if (canonical(own) !== canonical(others)) {
    const names = Object.keys(own ?? {}).filter(
      (name) => canonical(own?.[name]) !== canonical(others?.[name]),
    );
    found["principal"] =
      mine.principal === null ? null : Object.fromEntries(names.map((name) => [name, own?.[name]]));
  }
  return Object.keys(found).length === 0 ? undefined : found;
}
