/**
 * HMAC (RFC 2104) of short texts by two one-shot hashes. The runtime's own Hmac is a stream object; making and collecting
 * one costs several times what it computes, for every token. Held against it by a property.
 */
import { createHmac, hash as hashOnce } from "node:crypto";

const INNER = 0x36;
const OUTER = 0x5c;

export type Mac = (data: string) => Uint8Array;

/**
 * @param longest characters of the longest text that is worth keeping room for; longer ones go the long way
 * @returns what answers with bytes that are good until it is asked again
 */
export function hmacOf(hash: string, hashBytes: number, key: Uint8Array, longest: number): Mac {
  const slow = (data: string): Uint8Array => createHmac(hash, key).update(data, "latin1").digest();
  // Runtimes beside Node may lack it.
  if (typeof hashOnce !== "function") return slow;
  const blockBytes = hashBytes === 32 ? 64 : 128;
  const short = key.length > blockBytes ? hashOnce(hash, key, "buffer") : key;
  const inner = padded(short, INNER, blockBytes, longest);
  const outer = padded(short, OUTER, blockBytes, hashBytes);
  const mac = Buffer.alloc(hashBytes);
  // All rooms are used again and again: nothing is awaited between writing and hashing. The hashes come as hex and are written
  // where they belong: a Buffer made for each costs more than the hash.
  return (data) => {
    if (data.length > longest) return slow(data);
    const end = blockBytes + inner.write(data, blockBytes, "latin1");
    outer.write(hashOnce(hash, inner.subarray(0, end), "hex"), blockBytes, "hex");
    mac.write(hashOnce(hash, outer, "hex"), "hex");
    return mac;
  };
}

function padded(key: Uint8Array, pad: number, blockBytes: number, room: number): Buffer {
  const block = Buffer.alloc(blockBytes + room);
  for (let index = 0; index < blockBytes; index += 1) block[index] = (key[index] ?? 0) ^ pad;
  return block;
}
