/** An API key, and what of it may be kept. */
import { createHash, randomBytes } from "node:crypto";

/** A record of the keys file, as docs/policy.md has it. */
export interface KeyRecord {
  readonly id: string;
  readonly sha256: string;
  readonly roles?: readonly string[];
  readonly scopes?: readonly string[];
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly expires?: string;
  readonly routes?: readonly string[];
}

export interface MadeKey {
  /** Nobody can make it out of the record again. */
  readonly key: string;
  readonly record: KeyRecord;
}

export interface KeyGrant extends Omit<KeyRecord, "sha256"> {
  /** What the key begins with, so that people and scanners of secrets know what they have found. Default `key`. */
  readonly prefix?: string;
}

/** 256 bits: a plain SHA-256 of it cannot be guessed back. */
const BYTES = 32;

/** A key of 256 random bits. */
export function makeApiKey({ prefix = "key", ...grant }: KeyGrant): MadeKey {
  const key = `${prefix}_${randomBytes(BYTES).toString("base64url")}`;
  const { id, ...rest } = grant;
  return { key, record: { id, sha256: createHash("sha256").update(key).digest("hex"), ...rest } };
}
