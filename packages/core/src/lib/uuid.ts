/** UUIDv7 (RFC 9562 section 5.7): sorts by time, so decision ids stay together in logs and indexes. */

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function hex(byte: number): string {
  return HEX[byte] ?? "00";
}

/** 48 bits do not fit a bitwise operation: the upper 16 and the lower 32 are split by division. */
function timeOf(time: number): string {
  const high = Math.floor(time / 0x1_0000_0000) & 0xffff;
  const low = time >>> 0;
  return (
    `${hex(high >>> 8)}${hex(high & 255)}${hex(low >>> 24)}${hex((low >>> 16) & 255)}-` +
    `${hex((low >>> 8) & 255)}${hex(low & 255)}-`
  );
}

/** Random bytes are fetched by the page: one call of the system for several hundred ids. */
const POOL_BYTES = 4096;
const BYTES_AN_ID = 10;

/**
 * @returns makes an id for an instant in milliseconds since the epoch; a fraction is cut
 * @param randomBytes a cryptographic source: ids are shown to callers, who must not guess those of others
 */
export function createIdSource(randomBytes: (length: number) => Uint8Array): (now: number) => string {
  let pool = new Uint8Array(0);
  let at = 0;
  // Under load many ids are of one millisecond.
  let lately = -1;
  let prefix = "";
  const random = (offset: number): number => pool[at + offset] ?? 0;
  return (now) => {
    if (at + BYTES_AN_ID > pool.length) {
      pool = Uint8Array.from(randomBytes(POOL_BYTES));
      at = 0;
    }
    const time = Math.max(0, Math.floor(now));
    if (time !== lately) {
      prefix = timeOf(time);
      lately = time;
    }
    const id =
      `${prefix}${hex(0x70 | (random(0) & 0x0f))}${hex(random(1))}-` +
      `${hex(0x80 | (random(2) & 0x3f))}${hex(random(3))}-` +
      `${hex(random(4))}${hex(random(5))}${hex(random(6))}${hex(random(7))}${hex(random(8))}${hex(random(9))}`;
    at += BYTES_AN_ID;
    return id;
  };
}
