import { describe, expect, it } from "vitest";
import type { Answer } from "./answer.js";
import { barringAnswer, isBarred } from "./barred.js";

const answer = (status: number, body: string): Answer => ({
  status,
  fields: [],
  body: Buffer.from(body),
  surplus: 0,
});
const nginx = answer(400, "<center>No required SSL certificate was sent</center>");
const served = answer(200, "{}");
const policys = answer(400, '{"status":400,"code":"malformed-request"}');

describe("what answers those whom it takes no connection of", () => {
  it.each<[string, Answer, Answer | undefined, number | undefined]>([
    ["nginx, by what it says", nginx, undefined, 400],
    ["nginx, by what it does", nginx, served, 400],
    ["nginx with a page of its own", answer(400, "no"), answer(404, ""), 400],
    ["its own status", answer(496, ""), served, 496],
    ["a server that serves", served, served, undefined],
    ["one that refuses such requests from everybody", answer(400, "no"), answer(400, "no"), undefined],
    ["one of which nobody knows", answer(400, "no"), undefined, undefined],
    ["the policy", policys, served, undefined],
    ["something that asks who calls, in its own way", answer(403, "no"), served, undefined],
    ["something that redirects", answer(302, ""), served, undefined],
  ])("%s", (_who, bare, own, status) => {
    expect(barringAnswer(bare, own)?.status).toBe(status);
  });

  it("are known again, and nothing else is taken for them", () => {
    const barring = { status: 400 };
    expect(isBarred(nginx, barring)).toBe(true);
    for (const other of [policys, served, answer(401, ""), answer(403, ""), answer(496, "")])
      expect(isBarred(other, barring)).toBe(false);
  });
});
