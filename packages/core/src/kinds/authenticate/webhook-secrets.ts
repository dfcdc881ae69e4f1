/** Secrets of a webhook's sender, as bytes. What is too short to be one is told now. */
import { decodeBase64 } from "../../lib/base64.js";
import { decodeBase64Url } from "../../lib/base64url.js";
import { fromHex, isBlank, strictText } from "../../lib/bytes.js";
import { pointerTo } from "../../lib/pointer.js";
import { isPublicKey } from "../../lib/published-keys.js";
import type { CompileEnvironment } from "../../model/kind.js";
import type { SecretReference } from "../../model/policy.js";
import type { WebhookForm } from "../../model/webhook-form.js";

/** Senders choose their own, and none of the known ones is shorter; 128 bits nobody guesses. */
const MIN_BYTES = 16;

export async function compileSecrets(
  references: readonly SecretReference[],
  form: WebhookForm,
  base: string,
  environment: CompileEnvironment,
): Promise<readonly Uint8Array[]> {
  const secrets: Uint8Array[] = [];
  for (const [index, { secret: reference }] of references.entries()) {
    const pointer = pointerTo(base, "secrets", index);
    const bytes = await environment.secret(reference, pointer);
    if (bytes === undefined) continue;
    const secret = decodedSecret(bytes, form);
    const problem = problemOf(secret, form);
    if (problem !== undefined)
      environment.report.error("invalid-key", pointer, `\`${reference}\` holds ${problem}`);
    // The caller may wipe or reuse its copy.
    else if (secret !== undefined) secrets.push(Uint8Array.from(secret));
    for (const former of (await environment.formerSecrets?.(reference)) ?? []) {
      const replaced = decodedSecret(former, form);
      if (replaced !== undefined && problemOf(replaced, form) === undefined) secrets.push(replaced);
    }
  }
  return secrets;
}

/** Undefined: the text is none of that encoding. */
export function decodedSecret(
  bytes: Uint8Array,
  { secretEncoding, secretPrefix }: Pick<WebhookForm, "secretEncoding" | "secretPrefix">,
): Uint8Array | undefined {
  if (secretEncoding === "text") return bytes;
  const text = strictText(bytes)?.trim();
  if (text === undefined) return undefined;
  const encoded = text.startsWith(secretPrefix) ? text.slice(secretPrefix.length) : text;
  if (secretEncoding === "hex") return fromHex(encoded);
  return decodeBase64(encoded) ?? decodeBase64Url(encoded.replace(/=+$/u, ""));
}

function problemOf(secret: Uint8Array | undefined, { secretEncoding }: WebhookForm): string | undefined {
  if (secret === undefined) return `no ${secretEncoding}`;
  if (isBlank(secret)) return "nothing but blanks";
  if (secret.length < MIN_BYTES)
    return `a secret of ${secret.length} bytes: an HMAC needs at least ${MIN_BYTES}`;
  if (isPublicKey(secret)) return "a public key: everybody who knows it could sign";
  return undefined;
}
