/** A JWK Set (RFC 7517) held against the algorithms of an authenticator: which keys are of use, and what is wrong with it. */
import type { Report } from "../../errors/diagnostics.js";
import { holdsSecret, isJwsAlgorithm, jwkFits, type JwsAlgorithm } from "../../lib/jws.js";
import { isObject } from "./strict-json.js";

type Jwk = Readonly<Record<string, unknown>>;

export interface UsableKey {
  readonly jwk: Jwk;
  readonly kid: string | undefined;
  /** Those that the author allows and the key admits. */
  readonly algorithms: readonly JwsAlgorithm[];
  readonly pointer: string;
}

/** @param pointerOf where the key of that index was written; for a file, the path's own place */
export function usableKeys(
  keys: readonly unknown[],
  allowed: readonly string[],
  pointerOf: (index: number) => string,
  report: Report,
): readonly UsableKey[] {
  const usable: UsableKey[] = [];
  const kids = new Set<string>();
  for (const [index, jwk] of keys.entries()) {
    const key = usableKey(jwk, index, allowed, pointerOf(index), report);
    if (key === undefined) continue;
    if (key.kid !== undefined && kids.has(key.kid)) {
      report.error(
        "duplicate-kid",
        key.pointer,
        `key ${index + 1} of the set has the \`kid\` of another`,
        "a `kid` names one key",
      );
      continue;
    }
    if (key.kid !== undefined) kids.add(key.kid);
    usable.push(key);
  }
  return usable;
}

function usableKey(
  jwk: unknown,
  index: number,
  allowed: readonly string[],
  pointer: string,
  report: Report,
): UsableKey | undefined {
  const which = `key ${index + 1} of the set`;
  if (!isObject(jwk)) {
    report.error("invalid-key", pointer, `${which} is no JSON object`);
    return undefined;
  }
  if (holdsSecret(jwk)) {
    report.error(
      "literal-secret",
      pointer,
      `${which} is private or symmetric`,
      "put the public key here, and revoke this one: it was in a policy",
    );
    return undefined;
  }
  const { kid } = jwk;
  if (kid !== undefined && typeof kid !== "string") {
    report.error("invalid-key", pointer, `the \`kid\` of ${which} is no string`);
    return undefined;
  }
  const algorithms = allowed.filter(isJwsAlgorithm).filter((algorithm) => jwkFits(algorithm, jwk));
  if (algorithms.length > 0) return { jwk, kid, algorithms, pointer };
  report.warn(
    "unused-key",
    pointer,
    `${which} fits none of the \`algorithms\``,
    "its `kty`, `crv`, `use`, `key_ops` or `alg` says otherwise",
  );
  return undefined;
}
