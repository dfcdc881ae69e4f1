/** Secrets of a webhook's sender, as bytes. What is too short to be one is told now. */
import { decodeBase64 } from "../../lib/base64.js";
import { decodeBase64Url } from "../../lib/base64url.js";
import { fromHex, strictText } from "../../lib/bytes.js";
import { pointerTo } from "../../lib/pointer.js";
import type { CompileEnvironment } from "../../model/kind.js";
import type { SecretReference } from "../../model/policy.js";
import { sharedSecret, type SecretEncoding } from "../../model/shared-secret.js";
import type { WebhookForm } from "../../model/webhook-form.js";

/** Senders choose their own, and none of the known ones is shorter; 128 bits nobody guesses. */
const MIN_BYTES = 16;

export async function compileSecrets(
  references: readonly SecretReference[],
  form: WebhookForm,
  base: string,
  environment: CompileEnvironment,
): Promise<readonly Uint8Array[]> {
  const terms = {
    leastBytes: MIN_BYTES,
    foreign: true,
    encoding: encodingOf(form.secretEncoding, form.secretPrefix),
  };
  const secrets: Uint8Array[] = [];
  for (const [index, reference] of references.entries()) {
    const secret = await sharedSecret(reference, pointerTo(base, "secrets", index), terms, environment);
    if (secret !== undefined) secrets.push(secret.current, ...secret.former);
  }
  return secrets;
}

/** What the text of a secret stands for, behind the prefix where it has that. */
export function encodingOf(encoding: WebhookForm["secretEncoding"], prefix = ""): SecretEncoding | undefined {
  if (encoding === "text") return undefined;
  return { name: encoding, decode: (bytes) => decodedSecret(bytes, encoding, prefix) };
}

function decodedSecret(
  bytes: Uint8Array,
  encoding: "base64" | "hex",
  prefix: string,
): Uint8Array | undefined {
  const text = strictText(bytes)?.trim();
  if (text === undefined) return undefined;
  const encoded = text.startsWith(prefix) ? text.slice(prefix.length) : text;
  if (encoding === "hex") return fromHex(encoded);
  return decodeBase64(encoded) ?? decodeBase64Url(encoded.replace(/=+$/u, ""));
}
