/** What an audit finds. */
import type { PolicyDocument } from "@gatehouse/core";
import type { RouteView } from "../lib/routes.js";
import type { Severity } from "./choices.js";

export interface Finding {
  /** Stable, e.g. `object-without-condition`. */
  readonly rule: string;
  readonly severity: Severity;
  /** JSON Pointer into the policy. */
  readonly pointer: string;
  /** 1-based, where the policy was parsed from text. */
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
  readonly mend: string;
  /** OWASP API Security Top 10, 2023. */
  readonly owasp: readonly string[];
  /** OWASP ASVS 5.0. */
  readonly asvs: readonly string[];
}

/** Something found by a rule: where, and what differs from its usual words. */
export interface Hit {
  readonly pointer: string;
  readonly message: string;
  readonly severity?: Severity;
}

export interface AuditContext {
  readonly policy: PolicyDocument;
  readonly routes: readonly RouteView[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface AuditRule {
  readonly id: string;
  readonly severity: Severity;
  /** One sentence: why it matters. */
  readonly about: string;
  readonly mend: string;
  readonly owasp: readonly string[];
  readonly asvs: readonly string[];
  readonly find: (context: AuditContext) => readonly Hit[];
}
