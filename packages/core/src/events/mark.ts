/** Values that are told as a keyed hash: the same value is recognized, and nobody without the key can test a guess. */
import { encodeBase64Url } from "../lib/base64url.js";
import { canonicalJson } from "../lib/canonical-json.js";
import { Secret } from "../lib/secret.js";
import type { EventOptions } from "../ports/decision-sink.js";

type Marker = (value: unknown) => string;

const SHORTEST_KEY = 16;

/**
 * @returns what a fact is told as, by its name; undefined: as it is
 * @throws TypeError where something is to be hashed without a key, or with one that could be guessed
 */
export function markerOf(
  { hash = [], key }: EventOptions,
  hmacSha256: (key: Uint8Array, data: string) => Uint8Array,
): (fact: string) => Marker | undefined {
  const names = new Set(hash);
  if (key === undefined) {
    if (names.size > 0) throw new TypeError("`hash` of `events` needs a `key`");
    return () => undefined;
  }
  const secret = Secret.of(key);
  if (secret.reveal().length < SHORTEST_KEY) {
    throw new TypeError(`\`key\` of \`events\` is shorter than ${SHORTEST_KEY} bytes`);
  }
  const mark: Marker = (value) =>
    `hmac:${encodeBase64Url(hmacSha256(secret.reveal(), canonicalJson(value)).subarray(0, 16))}`;
  return (fact) => (names.has(fact) ? mark : undefined);
}
