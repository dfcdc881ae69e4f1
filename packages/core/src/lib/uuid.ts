/** UUIDv7 (RFC 9562 section 5.7): sorts by time, so decision ids stay together in logs and indexes. */
import { HEX } from "./bytes.js";

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

/** Random bytes are fetched by the page: one call of the system, and one text, for several hundred ids. */
const PAGE_BYTES = 4096;
const BYTES_AN_ID = 10;

/** What follows the time, `7abc-89ab-0123456789ab`: two parts, each short enough that taking it out copies it and the page can go. */
const FIRST = 10;
const WHOLE = 22;

const DASH = 0x2d;
const SEVEN = 0x37;

/** By byte: the characters of its two digits, and of the upper one under the variant's bits. */
const UPPER = new Uint8Array(256);
const LOWER = new Uint8Array(256);
const VARIANT = new Uint8Array(256);
for (let byte = 0; byte < 256; byte += 1) {
  UPPER[byte] = hex(byte).charCodeAt(0);
  LOWER[byte] = hex(byte).charCodeAt(1);
  VARIANT[byte] = hex(0x80 | (byte & 0x3f)).charCodeAt(0);
}

/** All ids of a page one after the other, without their times. Version 7, variant 0b10 (RFC 9562 sections 4.1, 4.2). */
function pageOf(random: Uint8Array): string {
  const ids = Math.floor(random.length / BYTES_AN_ID);
  const text = new Uint8Array(ids * WHOLE);
  let to = 0;
  for (let from = 0; from < ids * BYTES_AN_ID; from += BYTES_AN_ID, to += WHOLE) {
    writeByte(text, to, random[from] ?? 0);
    text[to] = SEVEN;
    writeByte(text, to + 2, random[from + 1] ?? 0);
    text[to + 4] = DASH;
    const variant = random[from + 2] ?? 0;
    writeByte(text, to + 5, variant);
    text[to + 5] = VARIANT[variant] ?? 0;
    writeByte(text, to + 7, random[from + 3] ?? 0);
    text[to + 9] = DASH;
    for (let at = 0; at < 6; at += 1) writeByte(text, to + 10 + 2 * at, random[from + 4 + at] ?? 0);
  }
  return ASCII.decode(text);
}

function writeByte(text: Uint8Array, at: number, byte: number): void {
  text[at] = UPPER[byte] ?? 0;
  text[at + 1] = LOWER[byte] ?? 0;
}

const ASCII = new TextDecoder();

/**
 * @returns makes an id for an instant in milliseconds since the epoch; a fraction is cut
 * @param randomBytes a cryptographic source: ids are shown to callers, who must not guess those of others
 */
export function createIdSource(randomBytes: (length: number) => Uint8Array): (now: number) => string {
  let page = "";
  let at = 0;
  // Under load many ids are of one millisecond.
  let lately = -1;
  let prefix = "";
  return (now) => {
    if (at >= page.length) {
      page = pageOf(randomBytes(PAGE_BYTES));
      at = 0;
    }
    const time = Math.max(0, Math.floor(now));
    if (time !== lately) {
      prefix = timeOf(time);
      lately = time;
    }
    const id = prefix + page.slice(at, at + FIRST) + page.slice(at + FIRST, at + WHOLE);
    at += WHOLE;
    return id;
  };
}
