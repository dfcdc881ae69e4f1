/** Whatever is bad among new values, and whatever good: the good ones are in force, the bad ones named, and no policy is left over. */
import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { withGoodSecrets } from "./good-secrets.js";
import { SecretKeeper, type SecretDraft } from "./secret-keeper.js";

const short = (name: string, value: string): boolean => name.endsWith("!") && value === "new";

interface Compiled {
  readonly values: readonly string[];
  readonly lifetime: { end(): Promise<void> };
}

/** Names that end with `!` turn bad, those with `?` cannot be read, and those with `=` stay. */
const names = fc.uniqueArray(fc.tuple(fc.nat(99), fc.constantFrom("", "", "!", "?", "=")), {
  selector: ([number]) => number,
  maxLength: 12,
});

describe("secrets that change together", () => {
  test.prop([names, fc.boolean()])("a bad one holds up no other", async (list, due) => {
    const all = list.map(([number, kind]) => `${number}${kind}`);
    let value = "old";
    const keeper = new SecretKeeper(
      {
        get: (reference) => {
          if (value === "new" && reference.endsWith("?")) throw new Error("away");
          return reference.endsWith("=") ? "old" : value;
        },
      },
      true,
    );
    const first = keeper.draft("new", undefined);
    for (const name of all) await first.read(name);
    keeper.commit(first);
    value = "new";
    const draft = keeper.draft("again", undefined);
    await draft.refresh();
    const [open, attempts] = [new Set<Compiled>(), { count: 0 }];
    const compile = async (from: SecretDraft): Promise<Compiled> => {
      attempts.count += 1;
      const values: string[] = [];
      for (const name of all) {
        const reading = await from.read(name);
        const text = "secret" in reading ? Buffer.from(reading.secret.reveal()).toString() : "none";
        if (short(name, text)) throw new Error("too short");
        values.push(text);
      }
      const compiled = { values, lifetime: { end: async () => void open.delete(compiled) } };
      open.add(compiled);
      return compiled;
    };
    const rotated = await withGoodSecrets(draft, due, compile);
    const of = (...kinds: readonly string[]): readonly string[] =>
      all.filter((name) => kinds.some((kind) => (kind === "" ? /\d$/u.test(name) : name.endsWith(kind))));
    expect(rotated.draft.changed.toSorted()).toEqual(of("").toSorted());
    expect([...rotated.draft.kept.keys()].toSorted()).toEqual(of("!", "?").toSorted());
    expect([...open]).toEqual(rotated.loaded === undefined ? [] : [rotated.loaded]);
    expect(rotated.loaded === undefined).toBe(of("").length === 0 && of("!").length > 0 && !due);
    const expected = all.map((name) => (/\d$/u.test(name) ? "new" : "old"));
    expect(rotated.loaded?.values ?? expected).toEqual(expected);
    expect(attempts.count).toBeLessThanOrEqual(2 + 2 * of("!").length * Math.ceil(Math.log2(all.length + 1)));
  });
});
