/** Keys of those who sign messages: each with its one algorithm, and with who it stands for. */
import { strictText } from "../../lib/bytes.js";
import type { JwsAlgorithm } from "../../lib/jws.js";
import { jwsAlgorithmFor } from "../../lib/message-algorithms.js";
import { pointerTo } from "../../lib/pointer.js";
import type { CompileEnvironment } from "../../model/kind.js";
import type { MessageKey } from "../../model/policy.js";
import type { KeyMaterial, SignatureVerifier } from "../../ports/platform.js";
import { anyOf } from "./any-verifier.js";
import type { IdentityMaker } from "./identity.js";
import type { SignerKey } from "./message-signature.js";
import { frozenCopy } from "./strict-json.js";
import { textsFrom } from "./texts.js";
import { decodedSecret } from "./webhook-secrets.js";

export async function compileSigners(
  keys: readonly MessageKey[],
  base: string,
  identify: IdentityMaker,
  environment: CompileEnvironment,
): Promise<ReadonlyMap<string, SignerKey>> {
  const signers = new Map<string, SignerKey>();
  for (const [index, key] of keys.entries()) {
    const pointer = pointerTo(base, "keys", index);
    const material = await materialOf(key, pointerTo(pointer, "key"), environment);
    if (material === undefined) continue;
    try {
      const algorithm = jwsAlgorithmFor(key.algorithm, "jwk" in material ? material.jwk : undefined);
      const current = await environment.platform.prepareKey(algorithm, material);
      const verifier = anyOf([current, ...(await formerVerifiers(key, algorithm, environment))]);
      signers.set(key.keyid, { algorithm: key.algorithm, verifier, accepted: signerOf(key, identify) });
    } catch (error) {
      const message = error instanceof Error ? error.message : "the key cannot be used";
      environment.report.error("invalid-key", pointerTo(pointer, "key"), message);
    }
  }
  return signers;
}

async function materialOf(
  { key, algorithm, secretEncoding = "text" }: MessageKey,
  pointer: string,
  environment: CompileEnvironment,
): Promise<KeyMaterial | undefined> {
  if ("jwk" in key) return { jwk: key.jwk };
  if ("pem" in key && typeof key.pem === "string") return { pem: key.pem };
  const reference = "pem" in key ? key.pem : key;
  if (typeof reference === "string") return undefined;
  const bytes = await environment.secret(reference.secret, pointer);
  if (bytes === undefined) return undefined;
  if (algorithm === "hmac-sha256") {
    const secret = decodedSecret(bytes, { secretEncoding, secretPrefix: "" });
    if (secret === undefined)
      environment.report.error("invalid-key", pointer, `\`${reference.secret}\` holds no ${secretEncoding}`);
    return secret === undefined ? undefined : { secret };
  }
  const pem = strictText(bytes);
  if (pem === undefined) environment.report.error("invalid-key", pointer, "the PEM is no text");
  return pem === undefined ? undefined : { pem };
}

/** Of keys that were replaced not long ago: what was signed with one of them is still good. */
async function formerVerifiers(
  { key, secretEncoding = "text" }: MessageKey,
  algorithm: JwsAlgorithm,
  environment: CompileEnvironment,
): Promise<readonly SignatureVerifier[]> {
  const reference = "pem" in key ? key.pem : key;
  if (typeof reference === "string" || !("secret" in reference)) return [];
  const verifiers: SignatureVerifier[] = [];
  for (const bytes of (await environment.formerSecrets?.(reference.secret)) ?? []) {
    const secret = decodedSecret(bytes, { secretEncoding, secretPrefix: "" });
    const pem = strictText(bytes);
    try {
      if ("pem" in key && pem !== undefined)
        verifiers.push(await environment.platform.prepareKey(algorithm, { pem }));
      else if (secret !== undefined)
        verifiers.push(await environment.platform.prepareKey(algorithm, { secret }));
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
