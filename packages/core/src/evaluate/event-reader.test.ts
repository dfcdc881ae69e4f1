/** Events out of bytes, wherever a chunk ends. */
import { fc, it as property } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { EventReader, MAX_EVENT, type WrittenEvent } from "./event-reader.js";

type Told = WrittenEvent | "comment" | "too large";

const UTF8 = new TextEncoder();

function told(chunks: readonly Uint8Array[]): Told[] {
  const all: Told[] = [];
  const reader = new EventReader({
    event: (event) => void all.push(event),
    comment: () => void all.push("comment"),
  });
  for (const chunk of chunks) {
    // A handler may use its buffer again once it was told that the chunk is written.
    const lent = chunk.slice();
    const goesOn = reader.read(lent);
    lent.fill(0x78);
    if (!goesOn) return [...all, "too large"];
  }
  return all;
}

function read(text: string): Told[] {
  return told([UTF8.encode(text)]);
}

const NOTHING = { data: undefined, type: undefined, id: undefined, retry: undefined, readable: true };
const data = (text: string): WrittenEvent => ({ ...NOTHING, data: text });

describe("as the HTML standard reads it", () => {
  it.each<[string, string, Told[]]>([
    ["LF", "data: a\ndata: b\n\n", [data("a\nb")]],
    ["CR LF", "data: a\r\ndata: b\r\n\r\n", [data("a\nb")]],
    ["CR", "data: a\rdata: b\r\r", [data("a\nb")]],
    ["mixed line ends", "data: a\r\n\rdata: b\n\r\n", [data("a"), data("b")]],
    ["one blank after the colon is cut, no more", "data:  a\ndata:b\n\n", [data(" a\nb")]],
    ["a name alone is an empty value", "data\ndata\n\n", [data("\n")]],
    ["a byte order mark, once", "\uFEFFdata: a\n\n\uFEFFdata: b\n\n", [data("a"), NOTHING]],
    ["a mark that is text", "data: \uFEFFa\n\n", [data("\uFEFFa")]],
    ["an event that nothing ended is none", "data: a\n\ndata: b\n", [data("a")]],
    ["empty lines alone are nothing", "\n\r\n\r", []],
    ["U+2028 ends no line", "data: a\u2028b\n\n", [data("a\u2028b")]],
    [
      "the last of what stands twice",
      "id: 1\nevent: x\nretry: 1\nid: 2\nevent: y\nretry: 2\n\n",
      [{ ...NOTHING, id: "2", type: "y", retry: "2" }],
    ],
    ["an id with NUL is none", "id: 1\nid: 2\0\n\n", [{ ...NOTHING, id: "1" }]],
    ["an empty id takes the last one back", "id\n\n", [{ ...NOTHING, id: "" }]],
    [
      "a retry is digits",
      "retry: 1e3\n\nretry: -1\n\nretry\n\nretry: 10\n\n",
      [NOTHING, NOTHING, NOTHING, { ...NOTHING, retry: "10" }],
    ],
    ["names that nobody knows, and other spellings", "Data: a\nother: b\n data: c\n\n", [NOTHING]],
    ["comments, once an event", ": a\n:\n\n:b\ndata: c\n:d\n\n", ["comment", "comment", data("c")]],
  ])("%s", (_name, text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it("a line that is no UTF-8 spoils its event, and no other", () => {
    const bytes = Uint8Array.from([...UTF8.encode("data: "), 0xc3, 0x28, ...UTF8.encode("\n\ndata: b\n\n")]);
    expect(told([bytes])).toEqual([{ ...NOTHING, readable: false }, data("b")]);
  });
});

describe("bounds", () => {
  const x = (count: number): string => "x".repeat(count);

  it.each<[string, string, Told[]]>([
    ["a line of the largest size", `data:${x(MAX_EVENT - 5)}\n\n`, [data(x(MAX_EVENT - 5))]],
    ["one more", `data: a\n\ndata:${x(MAX_EVENT - 4)}\n\n`, [data("a"), "too large"]],
    ["one that does not end", `data:${x(MAX_EVENT)}`, ["too large"]],
    ["lines that are too much together", `${`data:${x(600_000)}\n`.repeat(2)}\n`, ["too large"]],
    ["empty lines of data too", "data\n".repeat(300_000), ["too large"]],
    ["a comment that does not end", `:${x(MAX_EVENT)}`, ["too large"]],
    ["comments are not kept", `${":keep-alive\n".repeat(200_000)}data: a\n\n`, ["comment", data("a")]],
    ["nor is what nobody knows", `${"other: x\n".repeat(200_000)}data: a\n\n`, [data("a")]],
  ])("%s", (_name, text, expected) => {
    expect(read(text)).toEqual(expected);
    const bytes = UTF8.encode(text);
    const pieces = Array.from({ length: Math.ceil(bytes.length / 4093) }, (_, index) =>
      bytes.subarray(index * 4093, (index + 1) * 4093),
    );
    expect(told(pieces)).toEqual(expected);
  });
});

const FRAGMENTS = [
  "data: ",
  "data",
  "id: 1",
  "event: é",
  "retry: 5",
  ":",
  " ",
  "\r\n",
  "\n",
  "\r",
  "\0",
  "😀",
  "\uFEFF",
  "\u2028",
  "x",
];
const BYTES = fc
  .array(
    fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(...FRAGMENTS).map((text) => [...UTF8.encode(text)]) },
      { weight: 1, arbitrary: fc.constantFrom([0xff], [0xe2, 0x82], [0xef, 0xbb]) },
    ),
    { maxLength: 60 },
  )
  .map((parts) => Uint8Array.from(parts.flat()));

function splitAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...places, bytes.length].map((end, index) => bytes.subarray(places[index - 1] ?? 0, end));
}

/** The same, of the whole text at once, as the standard's grammar has it. */
function reference(bytes: Uint8Array): Told[] {
  const all: Told[] = [];
  const text = Buffer.from(bytes)
    .toString("latin1")
    .replace(/^\xEF\xBB\xBF/u, "");
  let lines: string[] = [];
  let quiet = true;
  for (const line of text.split(/\r\n|\n|\r/u).slice(0, -1)) {
    if (line.startsWith(":") && quiet) all.push("comment");
    if (line.startsWith(":")) quiet = false;
    else if (line !== "") lines.push(line);
    else {
      if (lines.length > 0) all.push(eventOf(lines));
      lines = [];
      quiet = true;
    }
  }
  return all;
}

function eventOf(lines: readonly string[]): WrittenEvent {
  const event: Record<string, string | undefined> = {};
  let readable = true;
  for (const line of lines) {
    const text = Buffer.from(line, "latin1").toString("utf8");
    if (Buffer.from(text).toString("latin1") !== line) readable = false;
    else {
      const [, name = "", value = ""] = /^([^:]*)(?:: ?([^]*))?$/u.exec(text) ?? [];
      if (name === "data") event["data"] = event["data"] === undefined ? value : `${event["data"]}\n${value}`;
      if (name === "event") event["type"] = value;
      if (name === "id" && !value.includes("\0")) event["id"] = value;
      if (name === "retry" && /^\d+$/u.test(value)) event["retry"] = value;
    }
  }
  return { data: event["data"], type: event["type"], id: event["id"], retry: event["retry"], readable };
}

property.prop([BYTES, fc.array(fc.nat(), { maxLength: 20 })], { numRuns: 2000 })(
  "any split of the same bytes tells the same, which is what the standard says",
  (bytes, cuts) => {
    const whole = told([bytes]);
    expect(told(splitAt(bytes, cuts))).toEqual(whole);
    expect(whole).toEqual(reference(bytes));
  },
);

it("every border of one chunk, and of two", () => {
  const bytes = UTF8.encode(
    "\uFEFF: k\r\ndata: é😀\rdata:\n\r\nid: 1\r\n\r\nevent: x\ndata: {}\n\n\rdata: y",
  );
  const whole = told([bytes]);
  expect(whole).toHaveLength(4);
  for (let first = 0; first <= bytes.length; first++) {
    for (let second = first; second <= bytes.length; second++) {
      const chunks = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
      expect(told(chunks)).toEqual(whole);
    }
  }
});
