/**
 * RSASSA-PKCS1-v1_5 as RFC 8017 section 8.2.2 writes it down: OpenSSL raises the signature to the public exponent, and what comes of it
 * is compared, whole, with the one encoding that the text has. Nothing of it is parsed, so nothing can stand in it unseen. The runtime's
 * own call does the same and looks up digest and signature scheme anew each time, which is a twelfth of what a token costs.
 */
import { constants, createPublicKey, hash as hashOnce, publicDecrypt, type KeyObject } from "node:crypto";

/** Of bytes, and of a signature as long as the modulus: whether it is one of theirs. */
export type RsaCheck = (data: Uint8Array, signature: Uint8Array) => boolean;

/** RFC 8017 section 9.2, note 1: DER of the digest's name, up to the digest itself. No other spelling is taken (section 8.2.2, note 2). */
const DIGEST_INFO: Readonly<Record<string, string>> = {
  sha256: "3031300d060960864801650304020105000420",
  sha384: "3041300d060960864801650304020205000430",
  sha512: "3051300d060960864801650304020305000440",
};

/** Signatures after which a key is read once more. That costs as much as it saves with so many: seldom used keys never pay for it. */
export const WELL_USED = 1000;

/**
 * @param length bytes of the modulus
 * @param otherwise the runtime's own check: asked where OpenSSL gives no number, as for a signature that is not below the modulus
 * @returns `otherwise` where this runtime lacks what is needed
 */
export function rsaCheckOf(hash: string, key: KeyObject, length: number, otherwise: RsaCheck): RsaCheck {
  const raw = { key, padding: constants.RSA_NO_PADDING };
  const info = DIGEST_INFO[hash];
  if (info === undefined || typeof hashOnce !== "function" || !raises(raw, length)) return otherwise;
  const { encoded, digestAt } = encodingOf(Buffer.from(info, "hex"), length);
  let untilReread = WELL_USED;
  // The room for the digest is used again and again: nothing is awaited between writing and comparing.
  return (data, signature) => {
    if (untilReread > 0 && --untilReread === 0) raw.key = reread(key);
    let found: Buffer;
    try {
      found = publicDecrypt(raw, signature);
    } catch {
      return otherwise(data, signature);
    }
    encoded.write(hashOnce(hash, data, "binary"), digestAt, "latin1");
    // Everybody who has the public key can work out both: how long it takes tells nothing.
    return found.equals(encoded);
  };
}

/**
 * A key that came as a JWK is one of OpenSSL's former kind, and is looked up for those that compute with it at every use; one that came as
 * SPKI is theirs.
 */
function reread(key: KeyObject): KeyObject {
  try {
    const spki = key.export({ format: "der", type: "spki" });
    const again = createPublicKey({ key: spki, format: "der", type: "spki" });
    return again.equals(key) ? again : key;
  } catch {
    // Runtimes beside Node may lack one of these.
    return key;
  }
}

/** `00 01 FF .. FF 00`, and what names the digest (RFC 8017 section 9.2). */
function encodingOf(info: Buffer, length: number): { readonly encoded: Buffer; readonly digestAt: number } {
  const digestBytes = info.at(-1) ?? 0;
  const digestAt = length - digestBytes;
  const infoAt = digestAt - info.length;
  const encoded = Buffer.alloc(length, 0xff);
  encoded[0] = 0;
  encoded[1] = 1;
  encoded[infoAt - 1] = 0;
  info.copy(encoded, infoAt);
  return { encoded, digestAt };
}

/** Runtimes beside Node may pad all the same, or not at all have it. One is one, to whatever power. */
function raises(raw: { readonly key: KeyObject; readonly padding: number }, length: number): boolean {
  const one = Buffer.alloc(length);
  one[length - 1] = 1;
  try {
    return publicDecrypt(raw, one).equals(one);
  } catch {
    return false;
  }
}
