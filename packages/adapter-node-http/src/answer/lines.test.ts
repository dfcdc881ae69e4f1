/** Lines of a head, held to what Node's own checks and a plain join come to. */
import { validateHeaderValue } from "node:http";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { HeaderField } from "@gatehouse/core";
import { pairsOfArgument } from "./fields.js";
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

it("each_character_is_refused_in_a_value_where_Node_refuses_it", () => {
  const beyond = ["\u0131", "\u010a", "\u2028", "\ud800", "\uffff"];
  const characters = [...Array.from({ length: 512 }, (_, code) => String.fromCharCode(code)), ...beyond];
  for (const character of characters) {
    const field: HeaderField = ["X-Own", `a${character}b`];
    if (isSendable(field)) expect(linesOf([field], []).text).toBe(`X-Own: a${character}b\r\n`);
    else expect(() => linesOf([field], [])).toThrow(expect.objectContaining({ code: "ERR_INVALID_CHAR" }));
  }
});

it("what_a_handler_sets_is_looked_at_however_often_the_same_left_before", () => {
  const names = fc.constantFrom("content-type", "Content-Type", "Vary", "vary", "X-Own");
  fc.assert(
    fc.property(fc.array(fc.tuple(names, value), { minLength: 1, maxLength: 8 }), (met) => {
      for (const field of met) {
        if (isSendable(field)) {
          expect(pairsOfArgument([...field])).toEqual([field]);
          linesOf([field], []);
        } else {
          expect(() => pairsOfArgument([...field])).toThrow(
            expect.objectContaining({ code: "ERR_INVALID_CHAR" }),
          );
        }
      }
    }),
    { numRuns: 500 },
  );
});
