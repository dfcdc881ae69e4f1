/** Of what was fetched to know who calls: how old it is, and whether it still serves. */
import type { KeySetHealth, KindHealth, RevocationHealth } from "../../model/health.js";
import type { CompileEnvironment } from "../../model/kind.js";
import type { ResolvedPolicy } from "../../model/resolved.js";
import type { KeyRefresher } from "./remote-keys.js";
import { revocationTerms } from "./revocation-settings.js";

/** With the names of the authenticators that share it. */
export type KeySets = ReadonlyMap<KeyRefresher, readonly string[]>;

export function authenticateHealth(
  policy: ResolvedPolicy,
  keySets: KeySets,
  environment: CompileEnvironment,
): KindHealth {
  const revocation = revocationHealth(policy, environment);
  return {
    keySets: [...keySets].map(([keys, authenticators]) => keySetHealth(keys, authenticators, environment)),
    ...(revocation !== undefined && { revocation }),
  };
}

function keySetHealth(
  keys: KeyRefresher,
  authenticators: readonly string[],
  { clock }: CompileEnvironment,
): KeySetHealth {
  const now = clock.monotonic();
  const { fetchedAt, problem } = keys;
  const told = {
    authenticators,
    stale: keys.isStale(now),
    ...(fetchedAt !== undefined && { fetchedAt: Math.round(clock.now() - (now - fetchedAt)) }),
  };
  if (!keys.isUsable(now)) return { status: "failing", reason: problem ?? "there are no keys yet", ...told };
  return told.stale && problem !== undefined
    ? { status: "degraded", reason: problem, ...told }
    : { status: "ok", ...told };
}

function revocationHealth(
  { document: { revocation } }: ResolvedPolicy,
  { revocations }: CompileEnvironment,
): RevocationHealth | undefined {
  if (revocation === undefined) return undefined;
  const behind = Math.round(revocations.behindMs);
  if (behind <= revocationTerms(revocation).maxStaleMs) return { status: "ok", behind };
  const closes = revocation.onStoreFailure !== "open";
  return { status: closes ? "failing" : "degraded", reason: "what is revoked is not known any more", behind };
}
