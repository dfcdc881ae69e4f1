import { format, inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { utf8 } from "./bytes.js";
import { Secret } from "./secret.js";

const CANARY = "c4n4ry-0123456789";
const secret = Secret.of(CANARY);
/** For what a compiler would keep anybody from doing. */
const asText = secret as unknown as string;
const BYTES = [...utf8(CANARY)].join(", ");

/** Whatever can be made of it without asking for it by name. */
const ways: Readonly<Record<string, () => unknown>> = {
  "String()": () => String(secret),
  "a template": () => `in ${asText} a text`,
  "adding it to a text": () => "a" + asText,
  "a number": () => `${Number(secret)}`,
  "JSON.stringify": () => JSON.stringify({ secret, list: [secret] }),
  "util.inspect": () => inspect(secret, { depth: 20, showHidden: true, getters: true }),
  "util.inspect without its own view": () =>
    inspect(
      { secret },
      { depth: 20, showHidden: true, getters: true, customInspect: false, showProxy: true },
    ),
  "console formats": () => format("%s %o %O %j %d", secret, secret, secret, secret, secret),
  structuredClone: () => inspect(structuredClone(secret), { depth: 20, showHidden: true }),
  "an error that has it for a cause": () => {
    const error = new Error(`with ${asText}`, { cause: secret });
    return `${inspect(error, { depth: 20 })} ${error.stack ?? ""}`;
  },
  "a spread": () => inspect({ ...(secret as object) }),
  "its entries": () => inspect([Object.entries(secret), Reflect.ownKeys(secret)]),
  "its tag": () => Object.prototype.toString.call(secret),
  "assigning it": () => inspect(Object.assign({}, secret)),
};

describe("a secret", () => {
  it.each(Object.entries(ways))("is not shown by %s", (_name, way) => {
    const shown = String(way());
    expect(shown).not.toContain("c4n4ry");
    expect(shown).not.toContain(BYTES);
    expect(shown).not.toContain("99, 52, 110");
    expect(shown).not.toContain("63 34 6e");
  });

  it("is there for whoever asks by name, in a copy", () => {
    const bytes = secret.reveal();
    expect(Buffer.from(bytes).toString()).toBe(CANARY);
    bytes.fill(0);
    expect(Buffer.from(secret.reveal()).toString()).toBe(CANARY);
  });

  it("does not follow what it was made of", () => {
    const made = utf8("abc");
    const one = Secret.of(made);
    made.fill(0);
    expect(one.equals(Secret.of("abc"))).toBe(true);
    expect(Secret.of(one)).toBe(one);
  });

  it("equals by content", () => {
    expect(secret.equals(Secret.of(utf8(CANARY)))).toBe(true);
    expect(secret.equals(Secret.of(`${CANARY}x`))).toBe(false);
    expect(secret.equals(Secret.of(CANARY.toUpperCase()))).toBe(false);
    expect(Secret.of("").empty).toBe(true);
    expect(secret.empty).toBe(false);
  });

  it("cannot be opened from outside", () => {
    expect(() => Object.defineProperty(secret, "toString", { value: () => "x" })).toThrow(TypeError);
    expect(() => Object.defineProperty(Secret.prototype, "toJSON", { value: () => "x" })).toThrow(TypeError);
    expect(() => Secret.prototype.reveal.call({} as Secret)).toThrow(TypeError);
  });
});
