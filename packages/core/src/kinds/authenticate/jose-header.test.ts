import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { platform } from "#platform";
import type { JwsAlgorithm } from "../../lib/jws.js";
import type { SignatureVerifier } from "../../ports/platform.js";
import { parseCompact, type CompactToken } from "./compact-token.js";
import { compileHeader, type HeaderRules } from "./jose-header.js";
import { KeyTable } from "./key-table.js";

const verifier = (algorithm: JwsAlgorithm): SignatureVerifier => ({ algorithm, verify: () => true });
const KEYS = [verifier("ES256"), verifier("ES256"), verifier("RS256")] as const;

function rules(): HeaderRules {
  const table = new KeyTable(true);
  for (const [index, key] of KEYS.entries()) table.add(String(index), key);
  return compileHeader(table, { algorithms: ["ES256", "RS256"] });
}

function tokenOf(header: unknown): CompactToken {
  const segment = Buffer.from(JSON.stringify(header)).toString("base64url");
  const token = parseCompact(`${segment}.e30.AAAA`, platform);
  if (token.kind === "bad") throw new Error(token.reason);
  return token;
}

describe("compileHeader", () => {
  it("a_header_that_is_remembered_says_what_it_said", () => {
    const header = fc.record(
      {
        alg: fc.constantFrom("ES256", "RS256", "none", "HS256"),
        kid: fc.constantFrom("0", "1", "2", "3", 4),
        typ: fc.constantFrom("JWT", "dpop+jwt"),
        crit: fc.constant(["exp"]),
      },
      { requiredKeys: ["alg"] },
    );
    const some = fc.array(header, { minLength: 1, maxLength: 4 });
    const asked = fc.array(fc.tuple(fc.nat(), fc.boolean()), { maxLength: 20 });
    fc.assert(
      fc.property(some, asked, (headers, questions) => {
        const remembering = rules();
        for (const [index, good] of questions) {
          const token = tokenOf(headers[index % headers.length]);
          const judged = remembering.select(token);
          expect(judged).toBe(rules().select(token));
          if (good && !("kind" in judged)) remembering.remember(token, judged);
        }
      }),
    );
  });

  it("leaves room for good headers, whatever was refused before, and the other way round", () => {
    const header = rules();
    let read = 0;
    const counting = (token: CompactToken): CompactToken => {
      const original = token.header.bind(token);
      return Object.assign(token, { header: () => ((read += 1), original()) });
    };
    const refused = (index: number): CompactToken => counting(tokenOf({ alg: "none", index }));
    const good = (index: number): CompactToken => counting(tokenOf({ alg: "ES256", kid: "0", index }));
    for (let index = 0; index < 100; index += 1) header.select(refused(index));
    for (let index = 0; index < 100; index += 1) header.remember(good(index), KEYS[0]);
    read = 0;
    for (let index = 0; index < 100; index += 1) header.select(refused(index));
    expect(read).toBe(36);
    for (let index = 0; index < 100; index += 1) expect(header.select(good(index))).toBe(KEYS[0]);
    expect(read).toBe(72);
  });

  it("remembers what others know already, and nothing twice", () => {
    const [mine, others] = [rules(), rules()];
    const header = (token: CompactToken): void => {
      const key = others.select(token);
      expect(mine.select(token)).toBe(KEYS[0]);
      if (!("kind" in key)) others.remember(token, key);
      mine.remember(token, KEYS[0]);
    };
    const fresh = (index: number): CompactToken => tokenOf({ alg: "ES256", kid: "0", index });
    others.remember(fresh(0), KEYS[0]);
    // More often than there is room for.
    for (let time = 0; time < 100; time += 1) header(fresh(0));
    for (let index = 1; index < 64; index += 1) header(fresh(index));
    for (let index = 0; index < 64; index += 1) {
      const unread = Object.assign(fresh(index), { header: () => expect.fail("was read again") });
      expect([mine.select(unread), others.select(unread)]).toEqual([KEYS[0], KEYS[0]]);
    }
  });
});
