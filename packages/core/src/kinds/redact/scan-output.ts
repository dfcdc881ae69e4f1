/** What leaves of a text, put together from ranges of it. */
import type { TextOfAscii } from "../../lib/bytes.js";
import type { JsonBytes } from "../../lib/json-bytes.js";

/** Longer ranges are copied by the engine, whose call costs as much as copying so many bytes by hand. */
const SHORT = 512;

/** Of texts up to this many bytes answers are put together in one place, one after the other, and copied out of it. */
const SHARED = 16 * 1024;

/** Of what does not leave no byte is to stand behind what does. */
const BEYOND = 4;

const ENCODER = new TextEncoder();

let shared: Room | undefined;

class Room {
  readonly view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    readonly isShared: boolean,
  ) {
    this.view = new DataView(bytes.buffer);
  }
}

export class ScanOutput {
  #room: Room;
  #length = 0;
  #ascii: boolean;

  constructor(private readonly text: JsonBytes) {
    this.#ascii = text.ascii;
    this.#room =
      text.length + BEYOND > SHARED
        ? roomOf(text.length)
        : (shared ??= new Room(new Uint8Array(SHARED), true));
  }

  copy(from: number, end: number): void {
    const count = end - from;
    const at = this.#reserve(count);
    if (count > SHORT) this.#room.bytes.set(this.text.bytes.subarray(from, end), at);
    else copyShort(this.text.view, from, end, this.#room.view, at);
  }

  write(json: string): void {
    if (json.length > SHORT) return this.#encode(json);
    const at = this.#reserve(json.length);
    const { view } = this.#room;
    for (let index = 0; index < json.length; index++) {
      const code = json.charCodeAt(index);
      if (code > 0x7f) {
        this.#length = at;
        return this.#encode(json);
      }
      view.setUint8(at + index, code);
    }
  }

  /** In memory of its own. */
  taken(textOfAscii: TextOfAscii | undefined): Uint8Array | string {
    const { bytes, view, isShared } = this.#room;
    if (isShared && this.#ascii && textOfAscii !== undefined) return textOfAscii(bytes, this.#length);
    if (isShared) return bytes.slice(0, this.#length);
    view.setInt32(this.#length, 0);
    return bytes.subarray(0, this.#length);
  }

  #encode(json: string): void {
    const bytes = ENCODER.encode(json);
    if (bytes.length !== json.length) this.#ascii = false;
    const at = this.#reserve(bytes.length);
    this.#room.bytes.set(bytes, at);
  }

  /** @returns where they begin */
  #reserve(count: number): number {
    const at = this.#length;
    const length = at + count;
    if (length + BEYOND > this.#room.bytes.length) {
      const { bytes } = this.#room;
      this.#room = roomOf(length * 2);
      this.#room.bytes.set(bytes.subarray(0, at));
    }
    this.#length = length;
    return at;
  }
}

function roomOf(length: number): Room {
  return new Room(new Uint8Array(length + BEYOND), false);
}

/** Four bytes at a time; the last ones may be too many, and are written over or cut. */
function copyShort(source: DataView, from: number, end: number, target: DataView, at: number): void {
  const shift = at - from;
  for (let index = from; index < end; index += 4) {
    target.setInt32(index + shift, source.getInt32(index));
  }
}
