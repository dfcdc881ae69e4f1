import * as fc from "fast-check";
import { expect, it } from "vitest";
import { platform } from "../../platform/node.js";
import { parseCompact } from "./compact-token.js";

const segment = fc.constantFrom("", "e30", "eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiJhbm4ifQ", "AAAA", "x");
const token = fc.array(segment, { minLength: 1, maxLength: 5 }).map((segments) => segments.join("."));
const before = fc.constantFrom("", "Bearer ", "a.b.c ", "....");

const told = (parsed: ReturnType<typeof parseCompact>): unknown =>
  parsed.kind === "bad"
    ? parsed
    : [
        parsed.headerSegment,
        parsed.signingInput,
        parsed.signatureSegment,
        parsed.header(),
        parsed.payload(),
        parsed.signature(),
      ];

it("a_token_in_its_field_is_the_token_by_itself", () => {
  fc.assert(
    fc.property(token, before, (text, scheme) => {
      const alone = parseCompact(text, platform);
      const [head = "", payload = "", signature = "", ...more] = text.split(".");
      const whole = head !== "" && payload !== "" && signature !== "" && more.length === 0;
      expect(alone.kind).toBe(whole ? "token" : "bad");
      if (alone.kind === "token")
        expect([alone.headerSegment, alone.signingInput, alone.signatureSegment]).toEqual([
          head,
          `${head}.${payload}`,
          signature,
        ]);
      expect(told(parseCompact(scheme + text, platform, scheme.length))).toEqual(told(alone));
    }),
    { numRuns: 500 },
  );
});
