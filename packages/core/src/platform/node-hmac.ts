/**
 * HMAC (RFC 2104) of short texts by two one-shot hashes. The runtime's own Hmac is a stream object; making and collecting
 * one costs several times what it computes, for every token. Held against it by a property.
 */
import { createHmac, hash as hashOnce } from "node:crypto";
import { beginningsOf } from "./node-room.js";

const INNER = 0x36;
const OUTER = 0x5c;

/** As base64url, which is how a token brings it: it is compared as it stands. */
export type MacText = (data: string) => string;

/** @param longest characters of the longest text that is worth keeping room for; longer ones go the long way */
export function hmacTextOf(hash: string, hashBytes: number, key: Uint8Array, longest: number): MacText {
  const slow = (data: string): string => createHmac(hash, key).update(data, "latin1").digest("base64url");
  // Runtimes beside Node may lack it.
  if (typeof hashOnce !== "function") return slow;
  const blockBytes = hashBytes === 32 ? 64 : 128;
  const short = key.length > blockBytes ? hashOnce(hash, key, "buffer") : key;
  const inner = padded(short, INNER, blockBytes, longest);
  const outer = padded(short, OUTER, blockBytes, hashBytes);
  const beginningOfInner = beginningsOf(inner);
  // Both rooms are used again and again: nothing is awaited between writing and hashing. The inner hash comes as a text of its
  // bytes and is written where it belongs: a Buffer made for it costs more than the hash.
  return (data) => {
    if (data.length > longest) return slow(data);
    const end = blockBytes + inner.write(data, blockBytes, "latin1");
    outer.write(hashOnce(hash, beginningOfInner(end), "binary"), blockBytes, "latin1");
    return hashOnce(hash, outer, "base64url");
  };
}

function padded(key: Uint8Array, pad: number, blockBytes: number, room: number): Buffer {
  const block = Buffer.alloc(blockBytes + room);
  for (let index = 0; index < blockBytes; index += 1) block[index] = (key[index] ?? 0) ^ pad;
  return block;
}

/** Where they differ is not to be learned from how long it takes: every character is looked at. */
export function equalTexts(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let index = 0; index < a.length; index += 1) difference |= a.charCodeAt(index) ^ b.charCodeAt(index);
  return difference === 0;
}
