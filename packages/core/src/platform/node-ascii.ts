/** Text of bytes, by a method of Node's buffers that is not documented and takes any bytes: to wrap them first costs as much again. */
import type { TextOfAscii } from "../lib/bytes.js";

type Slice = (this: Uint8Array, from: number, end: number) => string;

/** Undefined where the runtime has no such method, or one that does anything else. */
export function nodeTextOfAscii(): TextOfAscii | undefined {
  const { latin1Slice: slice } = Buffer.prototype as { latin1Slice?: Slice };
  const textOf: TextOfAscii = (bytes, count) => (slice as Slice).call(bytes, 0, count);
  try {
    return textOf(Uint8Array.of(0x61, 0x7f, 0, 0x62), 3) === "a\u007f\0" ? textOf : undefined;
  } catch {
    return undefined;
  }
}
