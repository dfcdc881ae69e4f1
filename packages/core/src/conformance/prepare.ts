/** Fills in what a case may leave out, and refuses what it may not say. */
import { createHash } from "node:crypto";
import type { Check, DecisionSink } from "../index.js";
import type { Case, CaseFile, CaseRequest, Step } from "./case.js";
import { checkOf } from "./checks.js";
import { sinksOf } from "./sinks.js";
import { certificateThumbprint, clientCertificate } from "./certificate.js";
import { publicJwk, scryptHash, secretText, sha256Hex, thumbprint } from "./keys.js";
import type { Outside } from "./outside.js";
import { messageFields, webhookFields } from "./signing.js";
import { mintProof, mintToken } from "./tokens.js";

export interface PreparedStep {
  readonly step: Step;
  /** Milliseconds to move the virtual clock by before this step. */
  readonly wait: number;
}

export interface PreparedCase {
  readonly policy: unknown;
  readonly at: number;
  readonly secrets: ReadonlyMap<string, string>;
  readonly checks: Readonly<Record<string, Check>>;
  readonly sinks: readonly DecisionSink[];
  readonly outside: Outside;
  /** What the engine is told of the event loop. */
  readonly loop: { delay: number };
  readonly steps: readonly PreparedStep[];
}

/** A request as it goes over the wire. */
export interface PreparedRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array | undefined;
  readonly ip: string;
  readonly https: boolean;
  readonly httpVersion: "1.0" | "1.1";
  readonly upgrade: boolean;
  /** Name of the client certificate of the connection. */
  readonly clientCertificate: string | undefined;
}

const DEFAULT_INSTANT = "2026-06-01T12:00:00Z";

const KNOWN = {
  file: ["about", "policies", "cases"],
  case: [
    "name",
    "threats",
    "policy",
    "at",
    "secrets",
    "checks",
    "sink",
    "steps",
    "outside",
    "coreOnly",
    "request",
    "answer",
    "expect",
    "wait",
    "delay",
    "meanwhile",
  ],
  step: ["request", "answer", "expect", "wait", "delay", "meanwhile"],
  request: [
    "method",
    "target",
    "headers",
    "bare",
    "httpVersion",
    "body",
    "token",
    "tokenCookie",
    "webhook",
    "message",
    "tokenScheme",
    "proof",
    "clientCertificate",
    "ip",
    "https",
    "upgrade",
  ],
  token: ["key", "header", "claims", "spoil", "raw"],
  outside: ["when", "times", "status", "headers", "json", "text", "fails"],
  webhook: ["secret", "more", "over", "headers", "time", "unit", "stamp", "id", "hash", "body"],
  message: ["key", "keyid", "label", "components", "created", "expires", "parameters", "digest", "body"],
  proof: ["key", "header", "claims"],
  answer: ["status", "headers", "json", "text", "throws"],
  expect: [
    "outcome",
    "stage",
    "code",
    "status",
    "headers",
    "json",
    "members",
    "text",
    "absent",
    "errors",
    "handler",
    "observed",
    "record",
  ],
  record: ["facts", "absent", "omitted"],
  handler: ["route", "principal", "params", "query", "headers", "body"],
} as const;

/** Closed world. @throws Error naming the place of a field that no case may have */
export function closeCaseFile(file: CaseFile): void {
  only(file, KNOWN.file, "the file");
  for (const one of file.cases) {
    const place = `case \`${one.name}\``;
    only(one, KNOWN.case, place);
    if (!Object.hasOwn(file.policies, one.policy)) throw new Error(`${place} names no policy of its file`);
    for (const answer of Object.values(one.outside ?? {}).flat())
      only(answer, KNOWN.outside, `${place}: outside`);
    for (const step of stepsOf(one)) {
      if (one.steps !== undefined) only(step, KNOWN.step, place);
      for (const request of step.meanwhile ?? []) only(request, KNOWN.request, `${place}: meanwhile`);
      only(step.request, KNOWN.request, `${place}: request`);
      only(step.request.token, KNOWN.token, `${place}: token`);
      only(step.request.webhook, KNOWN.webhook, `${place}: webhook`);
      only(step.request.message, KNOWN.message, `${place}: message`);
      only(step.request.proof, KNOWN.proof, `${place}: proof`);
      only(step.answer, KNOWN.answer, `${place}: answer`);
      only(step.expect, KNOWN.expect, `${place}: expect`);
      only(step.expect.handler, KNOWN.handler, `${place}: handler`);
      only(step.expect.record, KNOWN.record, `${place}: record`);
    }
  }
}

function only(value: object | undefined, known: readonly string[], place: string): void {
  const stranger = Object.keys(value ?? {}).find((key) => !known.includes(key));
  if (stranger !== undefined) throw new Error(`${place} has an unknown field \`${stranger}\``);
}

export function stepsOf(one: Case): readonly Step[] {
  if (one.steps !== undefined) return one.steps;
  if (one.request === undefined || one.expect === undefined) {
    throw new Error(`case \`${one.name}\` has neither steps nor a request with what to expect`);
  }
  const { request, expect, answer, delay, meanwhile } = one;
  return [
    {
      request,
      expect,
      ...(answer !== undefined && { answer }),
      ...(delay !== undefined && { delay }),
      ...(meanwhile !== undefined && { meanwhile }),
    },
  ];
}

export function prepareCase(file: CaseFile, one: Case): PreparedCase {
  const secrets = Object.entries(one.secrets ?? {}).map(
    ([reference, value]) => [reference, secretOf(value)] as const,
  );
  return {
    policy: fill(file.policies[one.policy]),
    at: Date.parse(one.at ?? DEFAULT_INSTANT),
    secrets: new Map(secrets),
    checks: Object.fromEntries(
      Object.entries(one.checks ?? {}).map(([name, recipe]) => [name, checkOf(recipe)]),
    ),
    sinks: sinksOf(one.sink),
    outside: fill(one.outside ?? {}) as Outside,
    loop: { delay: 0 },
    steps: stepsOf(one).map((step) => ({ step, wait: waitOf(step.wait) })),
  };
}

/** @param now the virtual clock: tokens are minted when they are sent */
export function prepareRequest(request: CaseRequest, now: number): PreparedRequest {
  const headers = (request.headers ?? []).map(([name, value]) => [name, textOf(value)] as const);
  const has = (name: string): boolean => headers.some(([field]) => field.toLowerCase() === name);
  if (!has("host") && request.bare !== true) headers.unshift(["Host", "a.test"]);
  const token = request.token === undefined ? undefined : mintToken(request.token, now);
  if (token !== undefined) {
    if (request.tokenCookie === undefined)
      headers.push(["Authorization", `${request.tokenScheme ?? "Bearer"} ${token}`]);
    else headers.push(["Cookie", `${request.tokenCookie}=${token}`]);
  }
  if (request.proof !== undefined) {
    const host = headers.find(([name]) => name.toLowerCase() === "host")?.[1] ?? "";
    const [path = ""] = request.target.split("?");
    const target = `${request.https === true ? "https" : "http"}://${host}${path}`;
    headers.push(["DPoP", mintProof(request.proof, token ?? "", request.method ?? "GET", target, now)]);
  }
  const body = bodyOf(request.body);
  if (typeof request.body === "object" && "json" in request.body && !has("content-type")) {
    headers.push(["Content-Type", "application/json"]);
  }
  if (body !== undefined && !has("content-length") && !has("transfer-encoding") && request.bare !== true) {
    headers.push(["Content-Length", String(body.length)]);
  }
  const { method = "GET", target, https = false } = request;
  const unsigned = { method, target, headers: [...headers], body, https };
  if (request.webhook !== undefined) headers.push(...webhookFields(request.webhook, unsigned, now));
  if (request.message !== undefined) headers.push(...messageFields(request.message, unsigned, now));
  return {
    method,
    target,
    headers,
    body,
    ip: request.ip ?? "127.0.0.1",
    https,
    httpVersion: request.httpVersion ?? "1.1",
    upgrade: request.upgrade === true,
    clientCertificate: request.clientCertificate,
  };
}

/** RFC 9440 section 2.1: a Byte Sequence of the DER form. */
function textOf(value: string | { readonly $certificate: string }): string {
  if (typeof value === "string") return value;
  return `:${Buffer.from(clientCertificate(value.$certificate).der).toString("base64")}:`;
}

function bodyOf(body: CaseRequest["body"]): Uint8Array | undefined {
  if (body === undefined) return undefined;
  if (typeof body === "string") return Buffer.from(body);
  if ("json" in body) return Buffer.from(JSON.stringify(body.json));
  if ("base64" in body) return Buffer.from(body.base64, "base64");
  return Buffer.from(body.repeat[0].repeat(body.repeat[1]));
}

function secretOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (isRecord(value) && typeof value["$secret"] === "string") return secretText(value["$secret"]);
  return JSON.stringify(fill(value));
}

/** Puts keys and digests where a policy has placeholders. */
function fill(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fill);
  if (!isRecord(value)) return value;
  if (typeof value["$jwk"] === "string") return publicJwk(value["$jwk"]);
  if (typeof value["$jkt"] === "string") return thumbprint(value["$jkt"]);
  if (typeof value["$x5t"] === "string") return certificateThumbprint(value["$x5t"]);
  if (typeof value["$sha256"] === "string") return sha256Hex(value["$sha256"]);
  if (typeof value["$scrypt"] === "string") return scryptHash(value["$scrypt"]);
  if (typeof value["$fingerprint"] === "string") {
    return createHash("sha256").update(clientCertificate(value["$fingerprint"]).der).digest("hex");
  }
  const repeat = value["$repeat"];
  if (Array.isArray(repeat)) return String(repeat[0]).repeat(Number(repeat[1]));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fill(inner)]));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const WAIT = /^\+(\d+)(ms|s|m|h|d)$/;
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function waitOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const match = WAIT.exec(text);
  if (match === null) throw new Error(`\`${text}\` is no wait: write it as \`+10s\``);
  return Number(match[1]) * (UNITS[match[2] ?? ""] ?? 0);
}
