/** Application code that verifies a credential of its own kind. What it answers is held to the contract; all else is a fault. */
import type { Fault } from "../../model/outcome.js";
import type { CustomSettings, PrincipalMap } from "../../model/policy.js";
import type { RequestState } from "../../model/state.js";
import type { CustomAuthenticator } from "../../ports/application.js";
import { MAX_CREDENTIAL, TOO_LONG, type Credential, type Judge } from "./credential.js";
import { isPromiseLike } from "../../lib/deadline.js";
import { withDeadline } from "./deadline.js";
import type { IdentityMaker } from "./identity.js";
import { ABSENT, bad, type Bad, type Judgement } from "./judgement.js";
import { compilePrincipalMap, type Grant } from "./principal-map.js";
import { frozenCopy, isObject } from "./strict-json.js";

const REFUSED = bad("the custom authenticator refused the credential");

export interface CustomParts {
  readonly settings: CustomSettings;
  readonly pointer: string;
  readonly code: CustomAuthenticator;
  readonly identify: IdentityMaker;
}

export function customJudge(parts: CustomParts): Judge {
  const { code, pointer, identify } = parts;
  const what = `authenticator \`${parts.settings.use}\``;
  const grantOf = compileGrant(parts.settings.principal ?? {});
  const judgeVerdict = (verdict: unknown): Judgement => {
    if (verdict === "absent") return ABSENT;
    if (verdict === "bad") return REFUSED;
    const grant = isObject(verdict) ? grantOf(verdict["principal"]) : undefined;
    if (grant === undefined)
      return fault(pointer, `${what} answered neither \`absent\`, \`bad\` nor a principal`);
    return grant.kind === "bad" ? fault(pointer, `${what}: ${grant.reason}`) : identify(grant);
  };
  return (credential, state) => {
    if (credential.text.length > MAX_CREDENTIAL) return TOO_LONG;
    const abort = new AbortController();
    let verdict: unknown;
    try {
      const input = inputFor(credential, state, AbortSignal.any([abort.signal, state.signal]));
      const { answers } = state;
      verdict = answers === undefined ? code(input) : answers.ask(what, factsOf(input), () => code(input));
    } catch (error) {
      return fault(pointer, `${what} threw`, error);
    }
    if (!isPromiseLike(verdict)) return judgeVerdict(verdict);
    return withDeadline(verdict, pointer, what, () => abort.abort()).then((outcome) =>
      "fault" in outcome ? outcome.fault : judgeVerdict(outcome.value),
    );
  };
}

function fault(rule: string, reason: string, error?: unknown): Fault {
  return { kind: "fault", where: "code", reason, rule, error };
}

function inputFor(
  credential: Credential,
  state: RequestState,
  signal: AbortSignal,
): Parameters<CustomAuthenticator>[0] {
  const headers = Object.create(null) as Record<string, string>;
  for (const [name, value] of state.request.headers) headers[name] = value;
  const { method, path, clientIp, tls } = state.request;
  return {
    credential: credential.text,
    method,
    path,
    headers: Object.freeze(headers),
    clientIp,
    clientCertificate: tls?.clientCertificate,
    signal,
  };
}

function factsOf({
  credential,
  method,
  path,
  headers,
  clientIp,
}: Parameters<CustomAuthenticator>[0]): unknown {
  return { credential, method, path, headers, clientIp: clientIp ?? null };
}

/** What the map names is read from the claims; the rest is as the code gave it. */
function compileGrant(map: PrincipalMap): (principal: unknown) => Grant | Bad | undefined {
  const mapped = compilePrincipalMap(map);
  return (principal) => {
    if (!isObject(principal)) return undefined;
    // The application may go on using its objects: what is frozen and shared is a copy.
    const claims = frozenCopy(principal["claims"] ?? {});
    return claims === undefined ? undefined : mapped(claims, principal);
  };
}
