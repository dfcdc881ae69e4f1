/** Keys of those who sign messages: each with its one algorithm, and with who it stands for. */
import { strictText } from "../../lib/bytes.js";
import { JWS_ALGORITHMS, type JwsAlgorithm } from "../../lib/jws.js";
import { jwsAlgorithmFor } from "../../lib/message-algorithms.js";
import { pointerTo } from "../../lib/pointer.js";
import type { CompileEnvironment } from "../../model/kind.js";
import type { MessageKey } from "../../model/policy.js";
import { sharedSecret } from "../../model/shared-secret.js";
import type { KeyMaterial, SignatureVerifier } from "../../ports/platform.js";
import { anyOf } from "./any-verifier.js";
import type { IdentityMaker } from "./identity.js";
import type { SignerKey } from "./message-signature.js";
import { frozenCopy } from "./strict-json.js";
import { textsFrom } from "./texts.js";
import { encodingOf } from "./webhook-secrets.js";

/** Of `hmac-sha256` (RFC 2104 section 3). */
const HASH_BYTES = JWS_ALGORITHMS.HS256.hashBytes;

export async function compileSigners(
  keys: readonly MessageKey[],
  base: string,
  identify: IdentityMaker,
  environment: CompileEnvironment,
): Promise<ReadonlyMap<string, SignerKey>> {
  const signers = new Map<string, SignerKey>();
  for (const [index, key] of keys.entries()) {
    const pointer = pointerTo(base, "keys", index);
    const [material, ...former] = await materialsOf(key, pointerTo(pointer, "key"), environment);
    if (material === undefined) continue;
    try {
      const algorithm = jwsAlgorithmFor(key.algorithm, "jwk" in material ? material.jwk : undefined);
      const current = await environment.platform.prepareKey(algorithm, material);
      const verifier = anyOf([current, ...(await formerVerifiers(former, algorithm, environment))]);
      signers.set(key.keyid, { algorithm: key.algorithm, verifier, accepted: signerOf(key, identify) });
    } catch (error) {
      const message = error instanceof Error ? error.message : "the key cannot be used";
      environment.report.error("invalid-key", pointerTo(pointer, "key"), message);
    }
  }
  return signers;
}

/** The key, and those that it replaced; none where what is wrong was reported. */
async function materialsOf(
  { key, secretEncoding = "text" }: MessageKey,
  pointer: string,
  environment: CompileEnvironment,
): Promise<readonly KeyMaterial[]> {
  if ("jwk" in key) return [{ jwk: key.jwk }];
  if ("secret" in key) {
    const terms = { leastBytes: HASH_BYTES, foreign: true, encoding: encodingOf(secretEncoding) };
    const shared = await sharedSecret(key, pointer, terms, environment);
    return shared === undefined ? [] : [shared.current, ...shared.former].map((secret) => ({ secret }));
  }
  if (typeof key.pem === "string") return [{ pem: key.pem }];
  const bytes = await environment.secret(key.pem.secret, pointer);
  if (bytes === undefined) return [];
  const pem = strictText(bytes);
  if (pem === undefined) {
    environment.report.error("invalid-key", pointer, "the PEM is no text");
    return [];
  }
  const former = ((await environment.formerSecrets?.(key.pem.secret)) ?? []).map(strictText);
  return [pem, ...former.filter((text) => text !== undefined)].map((text) => ({ pem: text }));
}

/** Of keys that were replaced not long ago: what was signed with one of them is still good. */
async function formerVerifiers(
  former: readonly KeyMaterial[],
  algorithm: JwsAlgorithm,
  environment: CompileEnvironment,
): Promise<readonly SignatureVerifier[]> {
  const verifiers: SignatureVerifier[] = [];
  for (const material of former) {
    try {
      verifiers.push(await environment.platform.prepareKey(algorithm, material));
    } catch {
      // It was no key of this algorithm, and is on its way out anyhow.
    }
  }
  return verifiers;
}

function signerOf(
  { id, roles, scopes, attributes }: MessageKey,
  identify: IdentityMaker,
): SignerKey["accepted"] {
  const known = frozenCopy(attributes ?? {}) ?? {};
  return identify({
    kind: "grant",
    id,
    roles: textsFrom(roles ?? []),
    scopes: textsFrom(scopes ?? []),
    claims: known,
    attributes: known,
  });
}
