/** `senderConstrained` of tokens, with what proofs need. */
import { parseDuration } from "../../lib/duration.js";
import { isJwsAlgorithm, JWS_ALGORITHMS } from "../../lib/jws.js";
import { pointerTo } from "../../lib/pointer.js";
import type { CompileEnvironment } from "../../model/kind.js";
import type {
  AuthenticatorSettings,
  DpopSettings,
  IntrospectionSettings,
  JwtSettings,
} from "../../model/policy.js";
import type { ResolvedAuthenticator } from "../../model/resolved.js";
import { sharedSecret } from "../../model/shared-secret.js";
import type { DpopNonces } from "./dpop-nonce.js";
import type { ReplayGuard } from "./replay.js";
import { CERTIFICATE_SENDER, type Sender } from "./sender.js";

export const DEFAULT_WINDOW = "60s";
export const DEFAULT_NONCE_LIFE = "5m";
/** Of the key of nonces: as long as what is made of it. */
const MIN_NONCE_KEY = 32;

/** Of tokens, whoever says what they are bound to. */
export type TokenSettings = JwtSettings | IntrospectionSettings;

/** What an authenticator says of proofs; undefined where it asks for none. */
export function dpopSettings(settings: AuthenticatorSettings): DpopSettings | undefined {
  const bound = "senderConstrained" in settings ? settings.senderConstrained : undefined;
  if (bound === "dpop") return { type: "dpop" };
  return typeof bound === "object" ? bound : undefined;
}

/** In the order of the table, which is the same for all: a challenge is a constant text. */
export function proofAlgorithms({ algorithms }: DpopSettings): readonly string[] {
  const all = Object.keys(JWS_ALGORITHMS).filter(isJwsAlgorithm);
  const asymmetric = all.filter((name) => JWS_ALGORITHMS[name].scheme !== "hmac");
  if (algorithms === undefined) return asymmetric;
  const listed = new Set<string>(algorithms);
  return asymmetric.filter((name) => listed.has(name));
}

export interface CompiledSender extends Sender {
  readonly nonces: DpopNonces | undefined;
}

export async function compileSender(
  { pointer }: ResolvedAuthenticator,
  settings: TokenSettings,
  replay: ReplayGuard,
  environment: CompileEnvironment,
): Promise<CompiledSender | undefined> {
  const dpop = dpopSettings(settings);
  if (dpop === undefined) {
    const { senderConstrained } = settings;
    return senderConstrained === undefined ? undefined : { ...CERTIFICATE_SENDER, nonces: undefined };
  }
  const { dpopProver, missingProof } = await import("./seldom.js");
  const nonces = await noncesOf(dpop, pointerTo(pointer, "senderConstrained"), environment);
  const prove = dpopProver({
    pointer,
    algorithms: new Set(proofAlgorithms(dpop)),
    windowMs: parseDuration(dpop.window ?? DEFAULT_WINDOW) ?? 0,
    nonces,
    platform: environment.platform,
    replay,
  });
  return { confirmation: "jkt", prove, missing: missingProof, nonces };
}

async function noncesOf(
  { nonce, nonceLife }: DpopSettings,
  pointer: string,
  environment: CompileEnvironment,
): Promise<DpopNonces | undefined> {
  if (nonce === undefined) return undefined;
  const terms = { leastBytes: MIN_NONCE_KEY };
  const key = await sharedSecret(nonce, pointerTo(pointer, "nonce"), terms, environment);
  if (key === undefined) return undefined;
  const { DpopNonces: Nonces } = await import("./seldom.js");
  const life = parseDuration(nonceLife ?? DEFAULT_NONCE_LIFE) ?? 0;
  const under = (bytes: Uint8Array, former?: readonly DpopNonces[]): DpopNonces =>
    new Nonces(bytes, life, environment.platform, former);
  return under(
    key.current,
    key.former.map((bytes) => under(bytes)),
  );
}
