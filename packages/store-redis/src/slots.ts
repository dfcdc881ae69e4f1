/** Names of keys on the server, and the slots of a cluster that they lie in. */

/**
 * What comes after a key's second colon (its first, where there is one alone) says who is counted: in braces, so that all limits of
 * one caller lie in one slot. It begins with a dot, for `{}` would be no tag, and a brace of the caller's own ends nothing early.
 */
export function redisKey(prefix: string, key: string): string {
  const first = key.indexOf(":");
  const second = key.indexOf(":", first + 1);
  const cut = (second < 0 ? first : second) + 1;
  return `${prefix}${key.slice(0, cut)}{.${key.slice(cut)}}`;
}

const SLOTS = 16_384;

/** CRC-16/XMODEM, by half bytes. */
const HALVES = Array.from({ length: 16 }, (_, high) => {
  let crc = high << 12;
  for (let bit = 0; bit < 4; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
  return crc & 0xffff;
});

/** Asked in turn of the same key: by the breaker, and by the driver. */
let last = { key: "", slot: 0 };

export function slotOf(key: string): number {
  if (last.key !== key) last = { key, slot: crcOf(key) % SLOTS };
  return last.slot;
}

function crcOf(key: string): number {
  const open = key.indexOf("{");
  const close = open < 0 ? -1 : key.indexOf("}", open + 1);
  const tag = close > open + 1 ? key.slice(open + 1, close) : key;
  let crc = 0;
  for (const byte of Buffer.from(tag)) {
    crc = ((crc << 4) ^ (HALVES[((crc >> 12) ^ (byte >> 4)) & 15] ?? 0)) & 0xffff;
    crc = ((crc << 4) ^ (HALVES[((crc >> 12) ^ byte) & 15] ?? 0)) & 0xffff;
  }
  return crc;
}
