/** A line of a log, as far as a replay reads it. What else stands in a log is nobody's decision. */
import type { StageName } from "@gatehouse/core";

export interface RecordedDecision {
  readonly id: string;
  readonly time: number;
  readonly policy: string;
  readonly revision: string;
  /** Key of the route; null: none matched. */
  readonly route: string | null;
  readonly method: string;
  readonly outcome: "admit" | "refuse" | "answer" | "aborted";
  readonly stage: StageName | undefined;
  readonly code: string | undefined;
  readonly concealed: boolean;
  readonly status: number;
  readonly observed: { readonly stage: StageName; readonly code: string } | undefined;
  readonly principal: RecordedCaller | undefined;
  readonly content: boolean;
  readonly query: boolean;
  readonly path: string | undefined;
  readonly facts: ReadonlyMap<string, unknown>;
  readonly absent: ReadonlySet<string>;
  /** A part of its kind alone is in the log. */
  readonly sampled: boolean;
}

export interface RecordedCaller {
  readonly id: string;
  readonly authenticator: string;
  /** Undefined: not told. */
  readonly roles: readonly string[] | undefined;
  readonly scopes: readonly string[] | undefined;
}

export type LogLine =
  | { readonly kind: "decision"; readonly decision: RecordedDecision }
  | { readonly kind: "policy"; readonly revision: string; readonly document: object }
  | { readonly kind: "dropped"; readonly count: number }
  | { readonly kind: "other" };

type Json = Readonly<Record<string, unknown>>;

const OUTCOMES: ReadonlySet<unknown> = new Set(["admit", "refuse", "answer", "aborted"]);

/** Undefined: no JSON object, or a decision that lacks what every event has. */
export function readLine(text: string): LogLine | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  // Events that were written by another logger have no type, and everything else of an event.
  switch (value["type"] ?? "decision") {
    case "policy":
      return policyOf(value);
    case "dropped":
      return typeof value["count"] === "number" ? { kind: "dropped", count: value["count"] } : undefined;
    case "decision":
      return decisionOf(value);
    default:
      return { kind: "other" };
  }
}

function policyOf({ revision, document }: Json): LogLine | undefined {
  if (typeof revision !== "string" || !isObject(document)) return undefined;
  return { kind: "policy", revision, document };
}

function decisionOf(value: Json): LogLine | undefined {
  const { id, time, policy, revision, route, method, outcome, status } = value;
  if (typeof id !== "string" || !isInstant(time) || typeof policy !== "string") return undefined;
  if (typeof revision !== "string" || typeof method !== "string" || !OUTCOMES.has(outcome)) return undefined;
  if (typeof status !== "number" || (route !== null && typeof route !== "string")) return undefined;
  // The event of the same id says how it ended.
  if (value["pending"] === true) return { kind: "other" };
  const { facts, absent, sampled } = value;
  return {
    kind: "decision",
    decision: {
      id,
      time,
      policy,
      revision,
      route,
      method,
      outcome: outcome as RecordedDecision["outcome"],
      stage: textOf(value["stage"]) as StageName | undefined,
      code: textOf(value["code"]),
      concealed: value["concealed"] === true,
      status,
      observed: observedOf(value["observed"]),
      principal: callerOf(value["principal"]),
      content: value["content"] === true,
      query: value["query"] === true,
      path: textOf(value["path"]),
      // A hash says nothing of its value.
      facts: new Map(Object.entries(isObject(facts) ? facts : {}).filter(([, one]) => !isHash(one))),
      absent: new Set(textsOf(absent) ?? []),
      sampled: typeof sampled === "number",
    },
  };
}

export function isHash(value: unknown): boolean {
  return typeof value === "string" && value.startsWith("hmac:");
}

function observedOf(value: unknown): RecordedDecision["observed"] {
  const first: unknown = Array.isArray(value) ? value[0] : undefined;
  if (!isObject(first)) return undefined;
  const { stage, code } = first;
  return typeof stage === "string" && typeof code === "string"
    ? { stage: stage as StageName, code }
    : undefined;
}

function callerOf(value: unknown): RecordedCaller | undefined {
  if (!isObject(value)) return undefined;
  const { id, authenticator, roles, scopes } = value;
  if (typeof id !== "string" || typeof authenticator !== "string") return undefined;
  return { id, authenticator, roles: textsOf(roles), scopes: textsOf(scopes) };
}

/** Milliseconds that a `Date` can say. */
function isInstant(value: unknown): value is number {
  return typeof value === "number" && Math.abs(value) <= 8.64e15;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function textsOf(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.every((item): item is string => typeof item === "string")
    ? value
    : undefined;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
