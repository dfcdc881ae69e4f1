import { describe, expect, it } from "vitest";
import { checkOptions, FUNCTION, FUNCTIONS, having, oneOf, TEXT, TRUTH } from "./options.js";

const KNOWN = {
  trace: TRUTH,
  checks: FUNCTIONS,
  clock: having("now", "monotonic"),
  onDecision: FUNCTION,
  prefix: TEXT,
  slash: oneOf("significant", "ignored"),
};
const check = (options: unknown) => () => checkOptions(options, "make", KNOWN);

describe("options", () => {
  it.each([
    [{ trase: true }, "unknown option `trase` of `make`; did you mean `trace`?"],
    [
      { colour: 1 },
      "unknown option `colour` of `make`; the options are trace, checks, clock, onDecision, prefix, slash",
    ],
    [{ constructor: 1 }, "unknown option `constructor` of `make`"],
    [{ trace: "yes" }, "`trace` of `make` is not true or false"],
    [{ checks: { a: 1 } }, "`checks` of `make` is not an object of functions"],
    [{ checks: null }, "`checks` of `make` is not an object of functions"],
    [{ clock: { now: () => 1 } }, "`clock` of `make` is not an object with `now`, `monotonic`"],
    [{ onDecision: {} }, "`onDecision` of `make` is not a function"],
    [{ prefix: 1 }, "`prefix` of `make` is not a text"],
    [{ slash: "strict" }, "`slash` of `make` is not `significant` or `ignored`"],
    [null, "the options of `make` are no object"],
    ["x", "the options of `make` are no object"],
  ])("%j: %s", (options, message) => {
    expect(check(options)).toThrow(TypeError);
    expect(check(options)).toThrow(message);
  });

  it("takes what is right, inherited methods and undefined", () => {
    class Ticking {
      now = () => 1;
      monotonic(): number {
        return 1;
      }
    }
    expect(
      check({
        trace: undefined,
        checks: { a: () => true },
        clock: new Ticking(),
        prefix: "/v1",
        slash: "ignored",
      }),
    ).not.toThrow();
  });
});
