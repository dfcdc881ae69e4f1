import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { platform } from "../platform/node.js";
import { JsonWriter, keyOf } from "./json-writer.js";
import { textWritten } from "./written.test-support.js";

const RUNS = Number(process.env["FC_RUNS"] ?? 300);

/** Writes, and forgets what it wrote before. */
function written(write: (out: JsonWriter) => void): string | undefined {
  const out = JsonWriter.take();
  try {
    write(out);
    const asBytes = textWritten(out.taken(undefined));
    const asText = textWritten(out.taken(platform.textOfAscii));
    return asText === asBytes ? asBytes : `${asText ?? "none"} in place of ${asBytes ?? "none"}`;
  } finally {
    JsonWriter.giveBack(out);
  }
}

function put(out: JsonWriter, value: unknown): void {
  if (typeof value === "string") out.string(value);
  else if (typeof value === "number") out.number(value);
  else if (typeof value === "boolean") out.boolean(value);
  else if (value === null) out.null();
  else if (Array.isArray(value)) putList(out, value);
  else putObject(out, value as object);
}

function putList(out: JsonWriter, list: readonly unknown[]): void {
  out.openList();
  for (const [index, item] of list.entries()) {
    if (index > 0) out.comma();
    put(out, item);
  }
  out.closeList();
}

function putObject(out: JsonWriter, value: object): void {
  const start = out.at;
  for (const [index, [name, member]] of Object.entries(value).entries()) {
    const begin = out.at;
    if (index > 0) {
      out.name("what is taken back");
      put(out, ["it"]);
      out.at = begin;
    }
    if (index % 2 === 0) out.key(keyOf(name));
    else out.name(name);
    put(out, member);
  }
  out.close(start);
}

const texts = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.array(fc.nat(0xffff)).map((codes) => String.fromCharCode(...codes)),
  fc
    .tuple(fc.string({ unit: "binary", minLength: 1 }), fc.nat(400))
    .map(([text, count]) => text.repeat(count)),
);
const numbers = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.maxSafeInteger(),
  fc.constantFrom(
    0,
    -0,
    9,
    10,
    99,
    100,
    -1,
    -10,
    999_999_999,
    1e9,
    2 ** 31 - 1,
    2 ** 31,
    -(2 ** 31),
    1e21,
    1e-7,
  ),
);

describe("a writer of JSON", () => {
  it("writes_every_value_as_stringify_does", () => {
    const values = fc.oneof(texts, numbers, fc.jsonValue({ stringUnit: "binary" }));
    fc.assert(
      fc.property(values, (value) => {
        expect(written((out) => put(out, value))).toBe(JSON.stringify(value));
      }),
      { numRuns: RUNS },
    );
  });

  it("writes every code unit as stringify does, alone and between others", () => {
    for (let code = 0; code <= 0xffff; code++) {
      for (const text of [String.fromCharCode(code), `a${String.fromCharCode(code)}b`]) {
        if (written((out) => out.string(text)) !== JSON.stringify(text))
          expect(code).toBe("written as it is");
      }
    }
  });

  it.each([
    ["an empty object", {}],
    ["empty things in one another", { a: {}, b: [], c: [[], {}] }],
    ["a name that is empty", { "": 1 }],
    ["odd names", { '"\\\n': 1, "\u2028": 2, "\ud800": 3, __proto__: 4, é: 5, ["x".repeat(5000)]: 6 }],
    ["a long text", "é".repeat(300)],
    ["more than there was room for", Array.from({ length: 20_000 }, (_, index) => ({ n: index, t: "x" }))],
    [
      "closing brackets without end",
      Array.from({ length: 900 }).reduce<unknown>((inner) => ({ a: inner }), {}),
    ],
  ])("writes %s", (_, value) => {
    expect(written((out) => put(out, value))).toBe(JSON.stringify(value));
  });

  it("has room wherever a room ends", () => {
    // Whoever has the one that was kept leaves a new one to the next.
    const kept = JsonWriter.take();
    for (let count = 5400; count < 5465; count++) {
      for (const last of [
        "",
        '"',
        "é",
        12,
        -123_456_789,
        -1.5,
        true,
        false,
        null,
        {},
        [],
        { a: 1 },
        "x".repeat(300),
      ]) {
        const value = [...Array<string>(count).fill(""), last];
        const out = JsonWriter.take();
        put(out, value);
        if (textWritten(out.taken(platform.textOfAscii)) !== JSON.stringify(value))
          expect([count, last]).toBe("written");
      }
    }
    JsonWriter.giveBack(kept);
  });

  it("is nobody else's until it is given back", () => {
    const [one, other] = [JsonWriter.take(), JsonWriter.take()];
    one.string("one");
    other.string("other");
    const text = one.taken(undefined);
    JsonWriter.giveBack(one);
    const third = JsonWriter.take();
    third.string("three");
    expect([text, other.taken(undefined), third.taken(undefined)].map(textWritten)).toEqual([
      '"one"',
      '"other"',
      '"three"',
    ]);
  });

  it("is let go when it has become large", () => {
    const large = JsonWriter.take();
    large.string("x".repeat(1e6));
    JsonWriter.giveBack(large);
    const next = JsonWriter.take();
    expect(next.bytes.length).toBeLessThan(1e6);
    JsonWriter.giveBack(next);
  });

  it("gives no byte but those of its text", () => {
    const before = JsonWriter.take();
    before.string("canary");
    JsonWriter.giveBack(before);
    const out = JsonWriter.take();
    out.null();
    expect((out.taken(undefined) as Uint8Array).buffer.byteLength).toBe(4);
    JsonWriter.giveBack(out);
  });

  it.each([
    ["text", { name: "Ann", of: ["Bern", 1.5, null, true] }, "string"],
    ["another letter", { name: "Anne-Zoé" }, "object"],
    ["a wide letter", { name: "\u20ac" }, "object"],
    ["half a pair, spelled out", { name: "\ud800" }, "string"],
    ["a pair", { name: "\u{1f600}" }, "object"],
    ["a name", { "\u00e9": 1 }, "object"],
    ["a long text", { name: `${"x".repeat(300)}\u00e9` }, "object"],
    ["a very long one", { name: `${"x".repeat(17_000)}\u00e9` }, "object"],
    ["much", { name: "x".repeat(17_000) }, "object"],
  ])("gives text only where each character is a byte: %s", (_what, value, kind) => {
    const out = JsonWriter.take();
    put(out, value);
    expect(typeof out.taken(platform.textOfAscii)).toBe(kind);
    JsonWriter.giveBack(out);
  });

  it.each([1, 300, 17_000])("gives bytes where a wide letter behind %d others was taken back", (count) => {
    const out = JsonWriter.take();
    out.string(`${"x".repeat(count)}\u00e9`);
    out.at = 0;
    out.null();
    expect(typeof out.taken(platform.textOfAscii)).toBe("object");
    JsonWriter.giveBack(out);
  });
});
