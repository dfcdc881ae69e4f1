/** A key and those that it replaced, as one verifier. */
import type { SignatureVerifier } from "../../ports/platform.js";

/** @param verifiers of one algorithm, the current one first; at least one */
export function anyOf(verifiers: readonly SignatureVerifier[]): SignatureVerifier {
  const [current, ...former] = verifiers;
  if (current === undefined) throw new Error("there is no key");
  if (former.length === 0) return current;
  return Object.freeze({
    algorithm: current.algorithm,
    verify: (data: Uint8Array | string, signature: Uint8Array) => tryEach(verifiers, 0, data, signature),
    // All have it or none: they are of one algorithm and one platform.
    verifyText:
      current.verifyText &&
      ((data: string, signature: string) =>
        verifiers.some(({ verifyText }) => verifyText?.(data, signature) === true)),
  });
}

function tryEach(
  verifiers: readonly SignatureVerifier[],
  from: number,
  data: Uint8Array | string,
  signature: Uint8Array,
): boolean | Promise<boolean> {
  for (let index = from; index < verifiers.length; index++) {
    const good = verifiers[index]?.verify(data, signature) ?? false;
    if (good === true) return true;
    if (good !== false) {
      return good.then((verdict) => verdict || tryEach(verifiers, index + 1, data, signature));
    }
  }
  return false;
}
