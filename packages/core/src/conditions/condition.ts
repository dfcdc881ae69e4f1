import type { JsonSchema } from "../model/policy.js";
import type { ReachedRule, ReadFact, RequestState } from "../model/state.js";

import type { PartialTruth } from "./partial.js";

/** When all that a rule reads is known, from early to late. */
export type Availability = "connection" | "principal" | "parameters" | "body";

/** What the names in a condition mean on one route. */
export interface ConditionScope {
  readonly params: Readonly<Record<string, JsonSchema>>;
  /** Names that the route's pattern binds: string where `params` says nothing. */
  readonly paramNames: readonly string[];
  readonly query: Readonly<Record<string, JsonSchema>>;
  readonly headers: Readonly<Record<string, JsonSchema>>;
  readonly cookies: Readonly<Record<string, JsonSchema>>;
  /** Undefined: the route reads no body, so neither may a condition. */
  readonly body: JsonSchema | undefined;
  /** The document's `schemas`, for `$ref`. */
  readonly schemas: Readonly<Record<string, JsonSchema>>;
  /** `none`: conditions that read `principal` are errors here. */
  readonly principal: "none" | "optional" | "required";
  /** Fields besides id, roles, scopes, claims, authenticator, authenticated and with, that the route's authenticators map. */
  readonly principalFields: readonly string[];
  /** True: an authenticator's fields are not known before a request (keys in a secret, records looked up by code), so any name may be read. */
  readonly anyPrincipalField?: boolean;
  /** Authenticators that stand before the last in an all-of alternative: names under `principal.with`. */
  readonly companions?: readonly string[];
  /** Roles that the document declares: a literal `'x' in principal.roles` must be one of them. */
  readonly roles: ReadonlySet<string>;
}

/** The condition could not be evaluated: `when` is not met, `forbid` is met. Never an exception. */
export interface ConditionError {
  readonly error: string;
}

export interface CompiledExpression<T> {
  readonly text: string;
  /** Facts it can read: `principal.tenant`, `params.id`, `body.items`, `client.ip`, `request.method`. Known before any request. */
  readonly reads: readonly string[];
  readonly needs: Availability;
  /** Never throws, makes no promise, and allocates as little as it can. */
  evaluate(state: RequestState): T | ConditionError;
  /** Evaluates again, telling which part decided and what it read: for traces only. Never a header or cookie value, nor a claim that is a credential. */
  explain(state: RequestState): { readonly reason: string; readonly read: readonly ReadFact[] };
  /** What it comes to where only some facts are known: for tools alone. */
  partial(state: RequestState, known: (fact: string) => boolean): PartialTruth;
  /** Evaluates again, telling what each part came to that an evaluation from left to right asks: for traces only. */
  reached(state: RequestState, rule: string): readonly ReachedRule[];
}

export type Condition = CompiledExpression<boolean>;
export type NumberExpression = CompiledExpression<number>;

/** One fact as text, for the key of a limit. Undefined: absent. */
export interface CompiledFact {
  readonly fact: string;
  readonly needs: Availability;
  /** True when the caller chooses its text (header, param, body). */
  readonly callerChosen: boolean;
  read(state: RequestState): string | undefined;
}

export function isConditionError(result: unknown): result is ConditionError {
  return typeof result === "object" && result !== null && "error" in result;
}
