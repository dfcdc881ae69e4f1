import type { ErrorCode } from "../errors/codes.js";
import type { HeaderField } from "./request.js";

/** A pass says nothing. */
export const PASS: undefined = undefined;

/** One problem of a caller's input: place and rule, never the value. */
export interface InputProblem {
  /** Where: `/body/quantity`, `/query/page`, `/params/id`. */
  readonly pointer: string;
  /** Which rule: the schema keyword or guard (`required`, `maximum`, `duplicate-key`). */
  readonly rule: string;
  readonly message: string;
}

/** The policy says no. A value, made once per rule where it can be. */
export interface Refusal {
  readonly kind: "refusal";
  readonly code: ErrorCode;
  /** Overrides the code's own status; rare. */
  readonly status?: number;
  /** Fields that this refusal owes: `WWW-Authenticate`, `Allow`, `Retry-After`, `Location`. */
  readonly headers?: readonly HeaderField[];
  /** For the operator: which rule, in words. Never a credential or another value of the caller's. */
  readonly reason: string;
  /** JSON Pointer of the rule in the policy. */
  readonly rule?: string;
  readonly errors?: readonly InputProblem[];
  /** Extra members of the problem details that the caller may see (`violated-policies`). */
  readonly members?: Readonly<Record<string, unknown>>;
  /** True: the connection is not to be reused after this answer (unread or ambiguous content). */
  readonly close?: boolean;
}

/** A stage could not decide. One place turns it into 503 (`outside`) or 500 (`code`). */
export interface Fault {
  readonly kind: "fault";
  /** `outside`: a store, key server or check was late or down. `code`: something threw. */
  readonly where: "outside" | "code";
  /** A code of status 503 that says more than `unavailable`. */
  readonly code?: ErrorCode;
  readonly reason: string;
  readonly rule?: string;
  readonly error?: unknown;
  /** Whole seconds for `Retry-After`, where known. */
  readonly retryAfter?: number;
}

/** The engine answers by itself and it is no refusal: a preflight, a redirect, a document of the policy's own. */
export interface Answer {
  readonly kind: "answer";
  readonly status: number;
  readonly headers?: readonly HeaderField[];
  /** With its `Content-Type` and `Content-Length` among the headers. Default: none. */
  readonly body?: string;
}

export type Verdict = typeof PASS | Refusal | Fault | Answer;
