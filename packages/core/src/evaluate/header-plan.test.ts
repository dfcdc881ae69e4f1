/** Fields that are laid over an answer, held to a plan that prepares nothing and remembers no name. */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { planHeaders } from "../compile/header-plan.js";
import type { HeaderPlan } from "../model/compiled.js";
import type { HeaderField } from "../model/request.js";
import { stateFor } from "../model/state.test-support.js";
import { mergeHeaders, owedHeaders } from "./header-plan.js";

const NAMES = [
  "Vary",
  "Cache-Control",
  "Set-Cookie",
  "X-Frame-Options",
  "Server",
  "ETag",
  "X-Request-Id",
  "RateLimit",
  "Content-Type",
];
const name = fc
  .tuple(fc.constantFrom(...NAMES), fc.constantFrom("as it is", "lower", "upper"))
  .map(([text, how]) => (how === "lower" ? text.toLowerCase() : how === "upper" ? text.toUpperCase() : text));
const value = fc.constantFrom(
  "a",
  "b",
  "Origin",
  "origin, Accept",
  "*",
  " , ",
  "no-store",
  "public, max-age=5",
);
const fields = fc.array(fc.tuple(name, value), { maxLength: 6 });
const contribution = fc.record(
  {
    set: fc.array(
      fc.tuple(
        fc.constantFrom("X-Frame-Options", "Cache-Control", "CDN-Cache-Control", "ETag", "Content-Type"),
        value,
      ),
      {
        maxLength: 3,
      },
    ),
    remove: fc.subarray(["server", "etag", "vary", "content-type"]),
    vary: fc.subarray(["Origin", "Accept", "*"]),
    mergeCacheControl: fc.constant((theirs: string, ours: string) => `${theirs} & ${ours}`),
  },
  { requiredKeys: [] },
);
const planned = fc
  .tuple(fc.array(contribution, { maxLength: 3 }), fields)
  .map(([contributions, dynamic]) => ({
    dynamic,
    plan: planHeaders([
      ...contributions,
      ...dynamic.map(([text, said]) => ({
        dynamic: (_state: unknown, sink: { set(name: string, value: string): void }) => sink.set(text, said),
      })),
    ]),
  }));

function varied(theirs: readonly HeaderField[], { vary }: HeaderPlan): HeaderField[] {
  const lists = theirs.filter(([text]) => text.toLowerCase() === "vary").map(([, list]) => list);
  if (lists.length === 0) return vary.length === 0 ? [] : [["Vary", vary.join(", ")]];
  const tokens = new Map<string, string>();
  for (const part of lists
    .join(",")
    .split(",")
    .map((one) => one.trim()))
    if (part !== "") tokens.set(part.toLowerCase(), part);
  for (const token of vary) if (!tokens.has(token.toLowerCase())) tokens.set(token.toLowerCase(), token);
  if (tokens.has("*")) return [["Vary", "*"]];
  return tokens.size === 0 ? [] : [["Vary", [...tokens.values()].join(", ")]];
}

it("fields_owed_are_the_constant_ones_then_those_of_the_request_then_those_of_the_answer", () => {
  fc.assert(
    fc.property(planned, fields, ({ plan, dynamic }, own) => {
      const rest = own.filter(([text]) => text.toLowerCase() !== "vary");
      for (const constant of [plan.admission, plan.refusal]) {
        const before = constant.copy(0);
        const expected = [...before, ...dynamic, ...rest, ...varied(own, plan)];
        expect(owedHeaders(plan, constant, stateFor({}), own)).toEqual(expected);
        const ofBody: [HeaderField, HeaderField] = [
          ["Content-Type", "text/plain"],
          ["Content-Length", "1"],
        ];
        expect(owedHeaders(plan, constant, stateFor({}), own, ...ofBody)).toEqual([...expected, ...ofBody]);
        expect(constant.copy(0)).toEqual(before);
      }
    }),
    { numRuns: 300 },
  );
});

it("what_was_made_of_one_list_of_Vary_is_not_taken_for_another", () => {
  const lists = fc.array(
    fc.oneof(
      fields,
      value.map((said): HeaderField[] => [["Vary", said]]),
    ),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(planned, lists, ({ plan, dynamic }, answers) => {
      for (const own of answers) {
        const expected = varied(own, plan);
        const seen = owedHeaders(plan, plan.admission, stateFor({}), own);
        expect(seen.slice(seen.length - expected.length)).toEqual(expected);
        const kept = own.filter(([text]) => text.toLowerCase() !== "vary").length;
        expect(seen).toHaveLength(plan.constant.length + dynamic.length + kept + expected.length);
      }
    }),
    { numRuns: 300 },
  );
});

it("fields_merged_by_a_plan_are_those_merged_one_by_one", () => {
  fc.assert(
    fc.property(
      planned,
      fields,
      fc.subarray(["etag", "x-request-id"]),
      ({ plan, dynamic }, theirs, stripped) => {
        const merges = plan.mergeCacheControl;
        const caching = theirs
          .filter(([text]) => text.toLowerCase() === "cache-control")
          .map(([, said]) => said);
        const kept = theirs.filter((field) => {
          const lower = field[0].toLowerCase();
          if (lower === "vary" || (lower === "cache-control" && merges !== undefined)) return false;
          if (plan.dropped.has(lower) || stripped.some((text) => text === lower)) return false;
          return !dynamic.some(
            ([text, said]) => text.toLowerCase() === lower && (lower !== "set-cookie" || said === field[1]),
          );
        });
        const ours = plan.constant.map((field): HeaderField => {
          const isCaching =
            field[0].toLowerCase() === "cache-control" && merges !== undefined && caching.length > 0;
          return isCaching ? [field[0], merges(caching.join(", "), field[1])] : field;
        });
        const expected = [...kept, ...ours, ...dynamic, ...varied(theirs, plan)];
        expect(mergeHeaders(plan, theirs, new Set(stripped), stateFor({}))).toEqual(expected);
        const typed = expected.some(([text]) => text.toLowerCase() === "content-type");
        const json: HeaderField = ["Content-Type", "application/json"];
        expect(mergeHeaders(plan, theirs, new Set(stripped), stateFor({}), 42)).toEqual([
          ...expected,
          ...(typed ? [] : [json]),
          ["Content-Length", "42"],
        ]);
      },
    ),
    { numRuns: 500 },
  );
});

it("a star swallows the rest of Vary, also where the handler's list is the policy's own", () => {
  const plan = planHeaders([{ vary: ["Origin", "*"] }]);
  expect(mergeHeaders(plan, [["Vary", "Origin, *"]], undefined, stateFor({}))).toEqual([["Vary", "*"]]);
  expect(owedHeaders(plan, plan.admission, stateFor({}), [["Vary", "Origin, *"]])).toEqual([["Vary", "*"]]);
});
