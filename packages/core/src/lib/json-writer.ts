/**
 * JSON text put together as UTF-8, value by value, each in the letters that JSON.stringify would choose. There is no text in between to be
 * measured and encoded once more.
 */
import { type TextOfAscii, utf8 } from "./bytes.js";

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** UTF-8 takes up to so many bytes for a code unit, and a short escape two. */
const WIDEST = 3;
/** Longer texts are written by the engine, whose calls cost as much as writing so many letters by hand. */
const LONG = 256;
/** What is moved by four bytes may write some beyond its end. */
const BEYOND = 3;
/** Digits of the longest integer of 32 bits, and its sign. */
const LONGEST_INTEGER = 11;

const SMALL = 16 * 1024;
/** Rooms up to this many bytes are kept for the next text: to allocate one costs as much as to write a short text. */
const KEPT = 256 * 1024;

/** What stands behind the backslash, where that is a letter; 0 for a character that stands for itself, 1 for one that is spelled out. */
const ESCAPES = escapes();

const ENCODER = new TextEncoder();

/** Text that is written often, to be written by four bytes. */
export interface Written {
  readonly words: readonly number[];
  /** In bytes. */
  readonly length: number;
  readonly ascii: boolean;
}

let spare: JsonWriter | undefined;

export class JsonWriter {
  bytes = new Uint8Array(SMALL);
  view = new DataView(this.bytes.buffer);
  /** Where the next byte comes. What is taken back is overwritten. */
  at = 0;
  /** No byte above 0x7f was written, nor taken back. */
  ascii = true;

  /** One that nobody else uses: whoever is asked for a value meanwhile may write as well. */
  static take(): JsonWriter {
    const one = spare ?? new JsonWriter();
    spare = undefined;
    one.at = 0;
    one.ascii = true;
    return one;
  }

  static giveBack(one: JsonWriter): void {
    if (one.bytes.length <= KEPT) spare = one;
  }

  /** In memory of its own, for which bytes cost more than all that was written, where they are few. */
  taken(textOfAscii: TextOfAscii | undefined): Uint8Array | string {
    const { bytes, at } = this;
    return this.ascii && at <= SMALL && textOfAscii !== undefined
      ? textOfAscii(bytes, at)
      : bytes.slice(0, at);
  }

  /** @returns where `count` bytes may be written */
  room(count: number): number {
    const { at } = this;
    if (at + count + BEYOND > this.bytes.length) this.#grow(count);
    return at;
  }

  /** A comma, a name, a colon; `close` has the first comma of an object in hand. */
  key({ words, length, ascii }: Written): void {
    if (!ascii) this.ascii = false;
    const at = this.room(length);
    const { view } = this;
    for (let index = 0; index < words.length; index++) view.setInt32(at + index * 4, words[index] ?? 0);
    this.at = at + length;
  }

  /** As `key`, of a name that is not written often. */
  name(name: string): void {
    this.#byte(COMMA);
    this.string(name);
    this.#byte(0x3a);
  }

  /** @param start where the first key of the object was written, or would have been */
  close(start: number): void {
    let at = this.room(2);
    if (at === start) at++;
    this.bytes[start] = OPEN_OBJECT;
    this.bytes[at] = CLOSE_OBJECT;
    this.at = at + 1;
  }

  openList(): void {
    this.#byte(OPEN_LIST);
  }

  comma(): void {
    this.#byte(COMMA);
  }

  closeList(): void {
    this.#byte(CLOSE_LIST);
  }

  string(text: string): void {
    const { length } = text;
    if (length > LONG) return this.json(JSON.stringify(text));
    let at = this.room(length * WIDEST + 2);
    const { bytes } = this;
    bytes[at++] = QUOTE;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code < 0x80) {
        const escape = ESCAPES[code];
        if (escape === 0) bytes[at++] = code;
        else if (escape === 1 || escape === undefined) return this.json(JSON.stringify(text));
        else {
          bytes[at++] = BACKSLASH;
          bytes[at++] = escape;
        }
      } else if (code < 0x800) {
        this.ascii = false;
        bytes[at++] = 0xc0 | (code >> 6);
        bytes[at++] = 0x80 | (code & 0x3f);
      } else if (code < 0xd800 || code > 0xdfff) {
        this.ascii = false;
        bytes[at++] = 0xe0 | (code >> 12);
        bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
        bytes[at++] = 0x80 | (code & 0x3f);
      } else return this.json(JSON.stringify(text));
    }
    bytes[at++] = QUOTE;
    this.at = at;
  }

  /** @param value a finite one */
  number(value: number): void {
    if ((value | 0) === value) this.#integer(value | 0);
    else this.#ascii(String(value));
  }

  boolean(value: boolean): void {
    const at = this.room(5);
    this.view.setInt32(at, value ? 0x74727565 : 0x66616c73);
    if (!value) this.bytes[at + 4] = 0x65;
    this.at = at + (value ? 4 : 5);
  }

  null(): void {
    const at = this.room(4);
    this.view.setInt32(at, 0x6e756c6c);
    this.at = at + 4;
  }

  /** @param text JSON already */
  json(text: string): void {
    // Room for the widest letters would be far too much.
    if (text.length > SMALL) return this.#copy(text);
    const at = this.room(text.length * WIDEST);
    const { written } = ENCODER.encodeInto(text, this.bytes.subarray(at));
    if (written !== text.length) this.ascii = false;
    this.at = at + written;
  }

  #copy(text: string): void {
    const bytes = utf8(text);
    if (bytes.length !== text.length) this.ascii = false;
    const at = this.room(bytes.length);
    this.bytes.set(bytes, at);
    this.at = at + bytes.length;
  }

  #byte(code: number): void {
    const at = this.room(1);
    this.bytes[at] = code;
    this.at = at + 1;
  }

  #integer(value: number): void {
    let at = this.room(LONGEST_INTEGER);
    const { bytes } = this;
    let left = value;
    if (left < 0) {
      bytes[at++] = MINUS;
      left = -left;
    }
    let end = at + 1;
    for (let bound = 10; left >= bound; bound *= 10) end++;
    this.at = end;
    for (let index = end - 1; index >= at; index--) {
      const next = Math.floor(left / 10);
      bytes[index] = ZERO + left - next * 10;
      left = next;
    }
  }

  #ascii(text: string): void {
    const { length } = text;
    const at = this.room(length);
    const { bytes } = this;
    for (let index = 0; index < length; index++) bytes[at + index] = text.charCodeAt(index);
    this.at = at + length;
  }

  #grow(count: number): void {
    const { bytes, at } = this;
    this.bytes = new Uint8Array(Math.max(bytes.length * 2, at + count + BEYOND));
    this.bytes.set(bytes.subarray(0, at));
    this.view = new DataView(this.bytes.buffer);
  }
}

export function writtenOf(text: string): Written {
  const bytes = utf8(text);
  const { length } = bytes;
  const view = new DataView(new ArrayBuffer(length + BEYOND));
  new Uint8Array(view.buffer).set(bytes);
  const words: number[] = [];
  for (let at = 0; at < length; at += 4) words.push(view.getInt32(at));
  return { words, length, ascii: length === text.length };
}

export function keyOf(name: string): Written {
  return writtenOf(`,${JSON.stringify(name)}:`);
}

function escapes(): Uint8Array {
  const table = new Uint8Array(0x80).fill(1, 0, 0x20);
  for (const [code, letter] of ["\bb", "\tt", "\nn", "\ff", "\rr", '""', "\\\\"].map((pair) => utf8(pair)))
    if (code !== undefined && letter !== undefined) table[code] = letter;
  return table;
}
