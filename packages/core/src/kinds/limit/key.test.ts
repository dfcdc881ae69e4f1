/** Two callers never share a count by accident, and one caller never has two (B6.104). */
import { createHash } from "node:crypto";
import { fc, test } from "@fast-check/vitest";
import { expect, it } from "vitest";
import type { CompiledFact } from "../../conditions/index.js";
import type { LimitSettings } from "../../model/policy.js";
import { stateFor } from "../../model/state.test-support.js";
import { Keys } from "./key.js";
import { termsOf } from "./terms.js";

const state = stateFor({});
const sha256Hex = (text: string): string => createHash("sha256").update(text).digest("hex");

function keyFor(
  texts: readonly (string | undefined)[],
  settings: Partial<LimitSettings> = {},
  { callerChosen = false, observe = false } = {},
): string | undefined {
  const facts = texts.map((text): CompiledFact => ({
    fact: "client.ip",
    needs: "connection",
    callerChosen,
    read: () => text,
  }));
  const value: LimitSettings = { limit: 1, window: "1m", ...settings };
  const terms = termsOf("few", { value, pointer: "", from: "document" });
  const keys = new Keys(terms, observe, sha256Hex);
  const key = keys.reader(facts)(state);
  const [only] = texts;
  // The short way for the one fact of most limits.
  if (only !== undefined && texts.length === 1 && !callerChosen) expect(keys.of(only)).toBe(key);
  return key;
}

it("parts carry their length", () => {
  expect(keyFor([])).toBe("few:s60000000:");
  expect(keyFor(["a:b"])).toBe("few:s60000000:3=a:b");
  expect(keyFor(["a:b", "c"])).toBe("few:s60000000:3=a:b1=c");
  expect(keyFor(["1=a"])).not.toBe(keyFor(["1=", "a"]));
});

it("what is absent is no text, and is what its author chose", () => {
  expect(keyFor([undefined])).toBe("few:s60000000:-");
  expect(keyFor(["-"])).toBe("few:s60000000:1=-");
  expect(keyFor([undefined, "a"])).toBe("few:s60000000:-1=a");
  for (const onMissing of ["skip", "refuse"] as const) {
    expect([keyFor([undefined], { onMissing }), keyFor(["a", undefined], { onMissing })]).toEqual([
      undefined,
      undefined,
    ]);
  }
});

it("what a caller chooses, or what is long, is hashed", () => {
  const digest = (text: string): string => sha256Hex(text).slice(0, 32);
  expect(keyFor(["a{b}"], {}, { callerChosen: true })).toBe(`few:s60000000:#${digest("4=a{b}")}`);
  const long = "x".repeat(96);
  expect(keyFor([long])).toBe(`few:s60000000:#${digest(`96=${long}`)}`);
  expect(keyFor([long, "a"])).toBe(`few:s60000000:#${digest(`96=${long}1=a`)}`);
});

it("counts that mean nothing to each other are kept apart", () => {
  const keys = [
    keyFor([]),
    keyFor([], { window: "2m" }),
    keyFor([], {}, { observe: true }),
    keyFor([], { algorithm: "token-bucket" }),
    keyFor([], { algorithm: "calendar", window: "day" }),
    keyFor([], { algorithm: "calendar", window: "month" }),
    keyFor([], { algorithm: "calendar", window: "day", zone: "Europe/Berlin" }),
    keyFor([], { algorithm: "concurrency" }),
  ];
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys.every((key) => key?.startsWith("few:") === true)).toBe(true);
});

const part = fc.option(fc.oneof(fc.string(), fc.constantFrom("-", "1=", "0=", "1=-", "#")), {
  nil: undefined,
});
const parts = fc.tuple(part, part, part);

test.prop([parts, parts, fc.boolean()])(
  "different_facts_never_share_a_count",
  (some, others, callerChosen) => {
    const same = JSON.stringify(some) === JSON.stringify(others);
    expect(keyFor(some, {}, { callerChosen }) === keyFor(others, {}, { callerChosen })).toBe(same);
  },
);
