import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseStrictObject } from "./strict-json.js";

/** A value as somebody may write it: members may come twice, and nothing need be short. */
interface Written {
  readonly text: string;
  /** No object in it has a member twice, or one called `__proto__`. */
  readonly once: boolean;
}

const NAMES = ["a", "b", "ab", "a:b", "__proto__", "é", "x\\u0061", "a\\u0062", '\\"'];
const plain = (text: string): Written => ({ text, once: true });
const SCALARS = [
  "0 -0 1 9 10 100 1e2 1000 1e3 1000000 1e6 1.0 10e-1 0.1 1e-1 -5 1500 15e2 1795780220 1e20 1e400",
  "9007199254740991 9007199254740993 123456789012345678901 true false null",
  String.raw`"" "a" "a:b" "\u0061" "\n" "é" ":" "\\"`,
]
  .flatMap((line) => line.split(" "))
  .map(plain);

const { value } = fc.letrec<{ value: Written; list: Written; object: Written }>((tie) => ({
  value: fc.oneof({ depthSize: "small" }, fc.constantFrom(...SCALARS), tie("list"), tie("object")),
  list: fc.array(tie("value"), { maxLength: 3 }).map((items) => ({
    text: `[${items.map(({ text }) => text).join(",")}]`,
    once: items.every(({ once }) => once),
  })),
  object: fc
    .tuple(
      fc.array(fc.tuple(fc.constantFrom(...NAMES), tie("value")), { maxLength: 4 }),
      fc.constantFrom("", "", "", " "),
    )
    .map(([members, blank]) => {
      const names = members.map(([name]) => JSON.parse(`"${name}"`) as string);
      return {
        text: `{${members.map(([name, { text }]) => `${blank}"${name}":${text}`).join(",")}}`,
        once:
          new Set(names).size === names.length &&
          !names.includes("__proto__") &&
          members.every(([, { once }]) => once),
      };
    }),
}));

describe("parseStrictObject", () => {
  it("a_short_text_is_judged_like_any_other", () => {
    fc.assert(
      fc.property(value, ({ text, once }) => {
        const object = text.startsWith("{");
        const expected: unknown = object && once ? JSON.parse(text) : undefined;
        expect(parseStrictObject(text)).toEqual(expected);
        expect(parseStrictObject(` ${text}`)).toEqual(expected);
      }),
      { numRuns: 3000 },
    );
  });

  it("refuses a member that comes twice where a long number makes up for it", () => {
    const texts = Array.from({ length: 30 }, (_, power) => [
      `{"a":1,"a":1e${power}}`,
      `{"b":0,"b":1,"a":1e${power}}`,
      `{"a":1,"a":[1e${power},1e${power}]}`,
      `{"a":1,"a":15e${power}}`,
    ]).flat();
    expect(texts.map((text) => parseStrictObject(text))).toEqual(texts.map(() => undefined));
  });

  it("counts no member that somebody gave to all objects", () => {
    const everybody = Object.getPrototypeOf({}) as object;
    const given = { deep: true };
    Object.defineProperty(everybody, "polluted", { value: given, enumerable: true, configurable: true });
    const read = [
      '{"a":1}',
      '{"a":10,"b":[{}]}',
      '{"a":1,"a":2}',
      '{"a":1,"a":2,"a":3}',
      '{"a":{"b":1,"b":2}}',
    ].map((text) => parseStrictObject(text) !== undefined);
    Reflect.deleteProperty(everybody, "polluted");
    expect(read).toEqual([true, true, false, false, false]);
    expect(Object.isFrozen(given)).toBe(false);
  });

  it("freezes all of it", () => {
    const parsed = parseStrictObject('{"a":[{"b":[1]}],"c":{"d":{}}}');
    const pending: unknown[] = [parsed];
    for (const one of pending) {
      expect(Object.isFrozen(one)).toBe(true);
      if (typeof one === "object" && one !== null) pending.push(...(Object.values(one) as unknown[]));
    }
    expect(pending.length).toBeGreaterThan(6);
  });
});
