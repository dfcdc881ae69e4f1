/**
 * What was learned of an issuer of opaque tokens: its answers, whether it can be reached, and who guesses. The next policy goes on
 * with it where all that an answer depends on is the same: a change of something else must not depend on an issuer that may be away just then.
 */
import { canonicalJson } from "../../lib/canonical-json.js";
import { Recent } from "../../lib/recent.js";
import type { CompileEnvironment } from "../../model/kind.js";
import type { IntrospectionSettings } from "../../model/policy.js";
import type { ResolvedAuthenticator, ResolvedPolicy } from "../../model/resolved.js";
import { Breaker } from "./breaker.js";
import { FailureGuard } from "./failure-guard.js";
import type { Introspected } from "./introspection-answer.js";

/** Tokens remembered at most; the one unused for longest goes first. */
const MAX_TOKENS = 10_000;

export interface Remembered {
  readonly said: Introspected;
  /** On the clock that never goes back. */
  readonly until: number;
}

export class IntrospectionMemory {
  readonly known = new Recent<Remembered>(MAX_TOKENS);
  readonly breaker = new Breaker();
  readonly guard: FailureGuard;

  constructor({ failures }: Pick<IntrospectionSettings, "failures">, pointer: string) {
    this.guard = new FailureGuard(failures, pointer);
  }
}

export function introspectionMemory(
  { name, pointer }: ResolvedAuthenticator,
  settings: IntrospectionSettings,
  { roles }: ResolvedPolicy,
  { commons, lifetime }: CompileEnvironment,
): IntrospectionMemory {
  const make = (): IntrospectionMemory => new IntrospectionMemory(settings, pointer);
  if (commons === undefined) return make();
  // What is remembered is who the caller is: named by the authenticator, with roles and all that they include. Of the client's secret it is
  // the reference: an issuer knows its client by the id, and says the same to whoever shows the next secret of it.
  const closures = [...roles].map(([role, closure]) => [role, [...closure].sort()]);
  const source = canonicalJson(["introspection", name, settings, closures]);
  return commons.take(source, IntrospectionMemory, make, lifetime);
}
