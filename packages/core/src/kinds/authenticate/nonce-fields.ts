/** `DPoP-Nonce` (RFC 9449 section 8.2): whoever shows proofs learns the next nonce with each answer, and need not be refused for it. */
import type { HeaderContribution } from "../../model/compiled.js";
import type { DpopNonces } from "./dpop-nonce.js";

/** @param nonces of the authenticators of one route */
export function nonceFields([nonces]: readonly DpopNonces[]): HeaderContribution | undefined {
  if (nonces === undefined) return undefined;
  return {
    remove: ["dpop-nonce"],
    dynamic: ({ request, now }, sink) => {
      // For nobody else: an answer that a cache may keep must not carry it to others.
      if (request.headers.has("dpop")) sink.set("DPoP-Nonce", nonces.current(now));
    },
  };
}
