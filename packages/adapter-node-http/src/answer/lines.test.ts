/** Lines of a head, held to what Node's own checks and a plain join come to. */
import { validateHeaderValue } from "node:http";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { HeaderField } from "@gatehouse/core";
import { linesOf } from "./lines.js";

const OWED: readonly HeaderField[] = [
  ["X-Frame-Options", "DENY"],
  ["X-Of-The-Policy", "a"],
];
const WRITTEN_BY_NODE = /^(?:content-length|connection|content-disposition|date|trailer)$/i;
const name = fc.constantFrom(
  "Content-Type",
  "content-type",
  "RateLimit",
  "X-Request-Id",
  "Set-Cookie",
  "Vary",
  "Content-Length",
  "Content-Disposition",
);
const value = fc.oneof(
  { weight: 20, arbitrary: fc.stringMatching(/^[ -~]{0,20}$/) },
  { weight: 1, arbitrary: fc.constantFrom("a\r\nX-Injected: b", "a\nb", "\0", "\u0100", "caf\u00e9", "\t") },
);
const fields = fc.array(fc.tuple(name, value), { maxLength: 8 });

function isSendable([written, text]: HeaderField): boolean {
  try {
    validateHeaderValue(written, text);
    return true;
  } catch {
    return false;
  }
}

/** Behind two of its name that stand side by side, or one of them. */
function isOfSeveral(all: readonly HeaderField[], at: number): boolean {
  const lower = all[at]?.[0].toLowerCase();
  return all
    .slice(0, at + 1)
    .some(([written], index) => all[index + 1]?.[0] === written && written.toLowerCase() === lower);
}

it("lines_are_the_fields_one_by_one_or_what_Node_would_throw", () => {
  fc.assert(
    fc.property(fields, fields, fc.boolean(), (before, behind, owes) => {
      const all = [...before, ...(owes ? OWED : []), ...behind];
      const isOwed = (field: HeaderField): boolean => owes && OWED.includes(field);
      const ours = all.filter(
        (field, at) => isOwed(field) || (!WRITTEN_BY_NODE.test(field[0]) && !isOfSeveral(all, at)),
      );
      if (!ours.every(isSendable)) {
        expect(() => linesOf(all, OWED)).toThrow(expect.objectContaining({ code: "ERR_INVALID_CHAR" }));
        return;
      }
      const lines = [...ours.filter(isOwed), ...ours.filter((field) => !isOwed(field))];
      expect(linesOf(all, OWED)).toEqual({
        text: lines.map(([written, text]) => `${written}: ${text}\r\n`).join(""),
        left: all.filter((field) => !ours.includes(field)),
      });
    }),
    { numRuns: 1000 },
  );
});

it("lines of one name keep their order: the last cookie of a name is the one that counts", () => {
  const policys: HeaderField = ["set-cookie", "id=of-the-policy"];
  const handlers: readonly HeaderField[] = [
    ["Set-Cookie", "id=of-the-handler"],
    ["Set-Cookie", "b=2"],
  ];
  expect(linesOf([...handlers, ["X-Own", "a"], policys], [])).toEqual({
    text: "X-Own: a\r\n",
    left: [...handlers, policys],
  });
});

it("what Node writes in a way of its own is left to it, whatever the policy owes", () => {
  const owed: readonly HeaderField[] = [
    ["X-Frame-Options", "DENY"],
    ["Connection", "close"],
  ];
  expect(linesOf(owed, owed)).toEqual({ text: "X-Frame-Options: DENY\r\n", left: [["Connection", "close"]] });
});

it("a name that is none is refused as Node refuses it", () => {
  expect(() => linesOf([["X Y", "a"]], [])).toThrow(
    expect.objectContaining({ code: "ERR_INVALID_HTTP_TOKEN" }),
  );
});
