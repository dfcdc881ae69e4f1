/**
 * Faults planted one at a time in the policy of the example, as data: `check`, `audit` or `explain` must find each. What
 * is told must be what is expected and nothing else, so that a fault is not found by a command that cries at everything.
 */
import { readFileSync } from "node:fs";
import { checkPolicy, parsePolicy, type PolicyDocument } from "@gatehouse/core";
import { audit, explain, type WireRequest } from "gatehouse";
import { describe, expect, it } from "vitest";
import faults from "./planted-faults.json" with { type: "json" };

const FILE = new URL("../../examples/orders/policy.jsonc", import.meta.url).pathname;
const NOW = Date.parse("2026-06-01T12:00:00Z");

interface Asking {
  readonly method: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly person?: object;
  readonly repeat?: number;
}

interface Fault {
  readonly fault: string;
  /** JSON Pointer → what stands there now. */
  readonly set?: Readonly<Record<string, unknown>>;
  readonly remove?: readonly string[];
  /** All that is told and was not told of the healthy policy: `severity code pointer`. */
  readonly check?: readonly string[];
  readonly audit?: readonly string[];
  /** What the healthy policy admits and this one refuses; code, rule, and what a hint must name. */
  readonly request?: Asking;
  readonly explain?: readonly string[];
}

const healthy = (): unknown =>
  JSON.parse(JSON.stringify(parsePolicy(readFileSync(FILE, "utf8"), FILE))) as unknown;

function planted({ set = {}, remove = [] }: Fault): PolicyDocument {
  const document = healthy();
  for (const pointer of remove) {
    const { holder, key } = placeOf(document, pointer);
    if (!Object.hasOwn(holder, key)) throw new Error(`${pointer}: nothing is there to be removed`);
    Reflect.deleteProperty(holder, key);
  }
  for (const [pointer, value] of Object.entries(set)) {
    const { holder, key } = placeOf(document, pointer);
    Reflect.set(holder, key, value);
  }
  return document as PolicyDocument;
}

function placeOf(document: unknown, pointer: string): { readonly holder: object; readonly key: string } {
  const steps = pointer
    .slice(1)
    .split("/")
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  const key = steps.pop() ?? "";
  let holder = document;
  for (const step of steps) {
    if (typeof holder !== "object" || holder === null || !Object.hasOwn(holder, step))
      throw new Error(`${pointer}: no ${step}`);
    holder = Reflect.get(holder, step) as unknown;
  }
  if (typeof holder !== "object" || holder === null) throw new Error(`${pointer} leads nowhere`);
  return { holder, key };
}

const told = (policy: PolicyDocument): readonly string[] =>
  checkPolicy(policy).map(({ severity, code, pointer }) => `${severity} ${code} ${pointer}`);
const found = (policy: PolicyDocument): readonly string[] =>
  audit(policy, { now: NOW }).map(({ severity, rule, pointer }) => `${severity} ${rule} ${pointer}`);
const news = (now: readonly string[], before: readonly string[]): readonly string[] =>
  now.filter((line) => !before.includes(line));

async function explained(policy: PolicyDocument, asking: Asking): ReturnType<typeof explain> {
  const { method, target, headers = {}, body, person, repeat = 1 } = asking;
  const content: readonly (readonly [string, string])[] =
    body === undefined ? [] : [["Content-Type", "application/json"]];
  const request: WireRequest = {
    method,
    target,
    headers: [...Object.entries(headers), ...content],
    body: body === undefined ? undefined : new TextEncoder().encode(JSON.stringify(body)),
    https: true,
    ip: "192.0.2.1",
  };
  return explain(policy, request, {
    at: NOW,
    repeat,
    ...(person !== undefined && { person: { authenticator: "user", ...person } }),
  });
}

const rows: readonly Fault[] = faults;

it("is a table of at least 60 faults, each with one way to be found and none planted twice", () => {
  expect(rows.length).toBeGreaterThanOrEqual(60);
  expect(new Set(rows.map(({ fault }) => fault)).size).toBe(rows.length);
  const ways = rows.map(({ check, audit, explain }) => [check, audit, explain].filter((way) => way?.length));
  expect(rows.filter((_row, index) => ways[index]?.length !== 1)).toEqual([]);
});

describe("check finds", () => {
  const before = told(healthy() as PolicyDocument);
  it.each(rows.filter(({ check }) => check !== undefined))("$fault", (row) => {
    expect(news(told(planted(row)), before)).toEqual(row.check);
  });
});

describe("audit finds", () => {
  const before = found(healthy() as PolicyDocument);
  it.each(rows.filter((row) => row.audit !== undefined))("$fault", (row) => {
    expect(news(found(planted(row)), before)).toEqual(row.audit);
  });
});

describe("explain finds", () => {
  it.each(rows.filter((row) => row.explain !== undefined))("$fault", async (row) => {
    const { request, explain: [code, rule, named = ""] = [] } = row;
    if (request === undefined) throw new Error("nothing is asked");
    expect(await explained(healthy() as PolicyDocument, request)).toMatchObject({ outcome: "admit" });
    const explanation = await explained(planted(row), request);
    expect({ code: explanation.code, rule: explanation.rule ?? "" }).toEqual({ code, rule });
    expect(explanation.hints.join("\n")).toContain(named);
  });
});
