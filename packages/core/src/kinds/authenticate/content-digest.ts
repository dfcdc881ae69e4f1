/** `Content-Digest` (RFC 9530): what a signature over the head says of the body. */
import { structuredFields } from "#libraries";
import type { Platform } from "../../ports/platform.js";

type Hashes = Pick<Platform, "sha256" | "sha512" | "equalInConstantTime">;

/** What the body must come to. Algorithms that are broken, or that nobody knows, say nothing (RFC 9530 section 5). */
export interface ContentDigest {
  readonly sha256: Uint8Array | undefined;
  readonly sha512: Uint8Array | undefined;
}

/** Undefined where the field is malformed, or holds neither SHA-256 nor SHA-512. */
export function readContentDigest(value: string): ContentDigest | undefined {
  try {
    const dictionary = structuredFields().parseDictionary(value);
    const digests = {
      sha256: bytesOf(dictionary.get("sha-256")),
      sha512: bytesOf(dictionary.get("sha-512")),
    };
    if (digests.sha256 === "none" || digests.sha512 === "none") return undefined;
    const { sha256, sha512 } = digests;
    return sha256 === undefined && sha512 === undefined ? undefined : { sha256, sha512 };
  } catch {
    return undefined;
  }
}

function bytesOf(member: readonly unknown[] | undefined): Uint8Array | "none" | undefined {
  if (member === undefined) return undefined;
  const [value] = member;
  return value instanceof ArrayBuffer ? new Uint8Array(value) : "none";
}

/** All that the field says must be true: with one that is and one that is not, somebody has been at it. */
export function fitsDigest({ sha256, sha512 }: ContentDigest, body: Uint8Array, hashes: Hashes): boolean {
  const first = sha256 === undefined || hashes.equalInConstantTime(hashes.sha256(body), sha256);
  const second = sha512 === undefined || hashes.equalInConstantTime(hashes.sha512(body), sha512);
  return first && second;
}
