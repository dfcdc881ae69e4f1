/** Distinguished Encoding Rules (X.690), as far as certificates need them. What has a second reading is no DER, and not read. */

export interface DerValue {
  /** One byte: higher tag numbers stand in no certificate. */
  readonly tag: number;
  readonly content: Uint8Array;
  /** With tag and length. */
  readonly whole: Uint8Array;
}

/** Undefined unless the bytes are exactly one value. */
export function derOf(bytes: Uint8Array): DerValue | undefined {
  const value = valueAt(bytes, 0);
  return value?.whole.length === bytes.length ? value : undefined;
}

/** The value that the bytes begin with, whatever follows it. */
export function derBeginning(bytes: Uint8Array): DerValue | undefined {
  return valueAt(bytes, 0);
}

/** The values inside of a constructed one, or undefined where they do not fill it exactly. */
export function derInside({ content }: DerValue): readonly DerValue[] | undefined {
  const values: DerValue[] = [];
  for (let at = 0; at < content.length;) {
    const value = valueAt(content, at);
    if (value === undefined) return undefined;
    values.push(value);
    at += value.whole.length;
  }
  return values;
}

function valueAt(bytes: Uint8Array, at: number): DerValue | undefined {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) return undefined;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  // 0x80 is the indefinite form, which is BER; more than three bytes would be 16 MB.
  if (first === 0x80 || lengthBytes > 3) return undefined;
  let length = lengthBytes === 0 ? first : 0;
  for (let index = 0; index < lengthBytes; index += 1) length = length * 256 + (bytes[at + 2 + index] ?? 0);
  // The shortest form is the only one.
  if (lengthBytes > 0 && length < (lengthBytes === 1 ? 0x80 : 256 ** (lengthBytes - 1))) return undefined;
  const from = at + 2 + lengthBytes;
  if (from + length > bytes.length) return undefined;
  return { tag, content: bytes.subarray(from, from + length), whole: bytes.subarray(at, from + length) };
}

/** Dotted text of an OBJECT IDENTIFIER's content; undefined where it is none. */
export function oidOf(content: Uint8Array): string | undefined {
  const arcs: number[] = [];
  let arc = 0;
  for (const [index, byte] of content.entries()) {
    // A leading 0x80 would be a second spelling.
    if (arc === 0 && byte === 0x80) return undefined;
    arc = arc * 128 + (byte & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER / 128) return undefined;
    if ((byte & 0x80) !== 0) {
      if (index === content.length - 1) return undefined;
      continue;
    }
    if (arcs.length === 0)
      arcs.push(Math.min(2, Math.floor(arc / 40)), arc - 40 * Math.min(2, Math.floor(arc / 40)));
    else arcs.push(arc);
    arc = 0;
  }
  return arcs.length === 0 ? undefined : arcs.join(".");
}
