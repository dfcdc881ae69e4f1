import * as fc from "fast-check";
import { expect, it } from "vitest";
import { isKeyProblem, parsePath } from "./path-pattern.js";

const piece = fc.constantFrom(
  ..."/ / a B 0 _ - . ~ : * ? # % ; \\ é".split(" "),
  " ",
  "\u0000",
  "\t",
  "\u007f",
  "\ud800",
);

it("no_path_that_looks_plain_is_one_that_no_request_can_have", () => {
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join("")}`),
      (path) => {
        const refused = /[?#%;\\\p{Cc}\t]|\/\/| (?:\/|$)|\/ |\p{Surrogate}/u.test(path);
        if (refused) expect([path, isKeyProblem(parsePath(path))]).toEqual([path, true]);
      },
    ),
    { numRuns: 500 },
  );
});
