/** Nonces of a server (RFC 9449 section 8). The engine that is asked wants none: what it would say of one is put together here. */
import type { PolicyResult } from "@gatehouse/core/testing";
import { valuesOf, type Answer } from "../answer.js";
import type { WireRequest } from "../client.js";
import type { Difference } from "../finding.js";
import type { Spoil } from "./spoil.js";

/** As bad a proof as one without the nonce. */
export const NO_ID: Spoil = {
  proof: ({ token: { header, claims }, key }) => ({
    token: { header, claims: { ...claims, jti: undefined } },
    key,
  }),
};

/** A refusal over a proof that is good but for its nonce. */
export function withNonceError(result: PolicyResult): PolicyResult {
  const fields = result.fields.map(
    ([name, value]) => [name, value.replace('error="invalid_dpop_proof"', 'error="use_dpop_nonce"')] as const,
  );
  return { ...result, fields };
}

/** To whoever shows a proof the server owes the next one. */
export function missingNonce({ headers }: WireRequest, { fields }: Answer): readonly Difference[] {
  const proved = headers.some(([name]) => name.toLowerCase() === "dpop");
  if (!proved || valuesOf(fields, "dpop-nonce").length > 0) return [];
  return [{ kind: "header", subject: "missing dpop-nonce", message: "`DPoP-Nonce` is missing" }];
}
