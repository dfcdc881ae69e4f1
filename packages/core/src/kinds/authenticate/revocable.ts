/** Good credentials that are revoked. Asked on every use, after everything else, of a copy in this process. */
import { chained } from "../../lib/chained.js";
import type { Fault } from "../../model/outcome.js";
import type { RequestState } from "../../model/state.js";
import type { Revocations, RevocationTerms } from "../../ports/revocations.js";
import type { Judge } from "./credential.js";
import { bad, type Accepted, type Judgement, type Pending } from "./judgement.js";

const REVOKED = bad("the credential was revoked");
/** In `failedOpen` of the decision, among the names of limits; no limit is called so. */
const FAILED_OPEN = "(revocation)";

export interface RevocableParts {
  readonly judge: Judge;
  readonly revocations: Revocations;
  readonly terms: RevocationTerms;
  /** True where claims are a token's own: an attribute of an API key may be called `jti` too. */
  readonly token: boolean;
  readonly onStoreFailure: "closed" | "open";
}

export function revocable({ judge, revocations, terms, token, onStoreFailure }: RevocableParts): Judge {
  const unknown: Fault = {
    kind: "fault",
    where: "outside",
    reason: "nobody knows what is revoked: the list could not be read for too long, or is full",
    rule: "/revocation",
  };
  const ask = (accepted: Accepted, state: RequestState): Judgement => {
    switch (revocations.verdict(factsOf(accepted, token), terms, state.now)) {
      case "clear":
        return accepted;
      case "revoked":
        return REVOKED;
      case "stale":
        if (onStoreFailure === "closed") return unknown;
        (state.failedOpen ??= []).push(FAILED_OPEN);
        return accepted;
    }
  };
  return (credential, state) =>
    chained(judge(credential, state), (judged) => {
      if (judged.kind === "pending") return askProved(judged, ask);
      return judged.kind === "accepted" ? ask(judged, state) : judged;
    });
}

/** Whether somebody is revoked is asked once it is known that it is they. */
function askProved(pending: Pending, ask: (accepted: Accepted, state: RequestState) => Judgement): Pending {
  return {
    ...pending,
    prove: (state) =>
      chained(pending.prove(state), (proof) => {
        if (proof !== undefined) return proof;
        const judged = ask(pending.claimed, state);
        return judged.kind === "bad" || judged.kind === "fault" ? judged : undefined;
      }),
  };
}

function factsOf({ identity }: Accepted, token: boolean): Parameters<Revocations["verdict"]>[0] {
  const { authenticator, principal } = identity;
  const { id } = principal;
  if (!token) return { authenticator, id, jti: undefined, sid: undefined, issuedAt: undefined };
  const { jti, sid, iat } = principal.claims;
  return {
    authenticator,
    id,
    jti: typeof jti === "string" ? jti : undefined,
    sid: typeof sid === "string" ? sid : undefined,
    issuedAt: typeof iat === "number" ? iat * 1000 : undefined,
  };
}
