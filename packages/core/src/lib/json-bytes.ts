/** JSON text as UTF-8, in memory of its own, laid out to be stepped over four bytes at a time. */

/**
 * Behind the text stand as many bytes that no JSON holds: what steps over it stops there, and may look at four bytes wherever it has
 * not stopped yet. What stands behind those may be of another text.
 */
const ENDING = 4;

/** Texts up to this many bytes share their memory, one after the other: to allocate it costs as much as to step over a short one. */
const SHARED = 256 * 1024;
/** So much of it at first. */
const SMALL = 16 * 1024;

/** UTF-8 takes up to so many bytes for a code unit. */
const WIDEST = 3;

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class JsonBytes {
  readonly view: DataView;
  /** No byte of the text is above 0x7f. False also where that is not known. */
  ascii = false;

  private constructor(
    readonly bytes: Uint8Array,
    /** Of the text; the bytes are more. */
    public length: number,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /**
   * A copy, so that nobody changes it meanwhile. It is over when the next one is made.
   * @param text half a surrogate pair in it becomes U+FFFD
   */
  static of(text: string | Uint8Array): JsonBytes {
    return typeof text === "string" ? ofText(text) : ofBytes(text);
  }

  /** @param capacity bytes of text that it has room for */
  static withRoom(capacity: number): JsonBytes {
    return new JsonBytes(new Uint8Array(capacity + ENDING), 0);
  }

  get capacity(): number {
    return this.bytes.length - ENDING;
  }

  end(length: number, ascii: boolean): this {
    this.length = length;
    this.ascii = ascii;
    this.view.setInt32(length, 0);
    return this;
  }

  /** @throws where it is no UTF-8 */
  slice(from: number, end: number): string {
    return DECODER.decode(this.bytes.subarray(from, end));
  }
}

let shared: JsonBytes | undefined;

function roomFor(length: number): JsonBytes {
  if (shared !== undefined && length <= shared.capacity) return shared;
  if (length > SHARED) return JsonBytes.withRoom(length);
  return (shared = JsonBytes.withRoom(length <= SMALL ? SMALL : SHARED));
}

function ofBytes(bytes: Uint8Array): JsonBytes {
  const { length } = bytes;
  const room = roomFor(length);
  room.bytes.set(bytes);
  return room.end(length, false);
}

function ofText(text: string): JsonBytes {
  const { length } = text;
  // Most texts are little longer as bytes; room for the worst would be three times what is needed.
  const room = roomFor(length * WIDEST <= SMALL ? length * WIDEST : length + (length >> 4));
  const { read, written } = ENCODER.encodeInto(text, room.bytes);
  return read === length && written <= room.capacity
    ? room.end(written, written === length)
    : ofBytes(ENCODER.encode(text));
}
