/** Whatever happens to what sanitizes HTML, nothing passes that was not cleaned. */
import { describe, expect, it } from "vitest";
import { inTurn } from "../../compile/body-rule.js";
import { resolvePolicy } from "../../compile/resolve.js";
import { Report } from "../../errors/diagnostics.js";
import type { CompileEnvironment } from "../../model/kind.js";
import type { PolicyDocument } from "../../model/policy.js";
import { stateFor } from "../../model/state.test-support.js";
import type { HtmlResult, HtmlSanitizer } from "../../ports/html-sanitizer.js";
import { compileSanitize } from "./compile.js";

const POLICY: PolicyDocument = {
  gatehouse: 1,
  name: "t",
  sanitizing: { maxAnswer: 100 },
  routes: {
    "POST /a": {
      authenticate: "none",
      request: { body: {}, sanitize: { "/html": "html", "/text": "text" } },
      response: { sanitize: { "/html": "html", "/text": "text" } },
    },
  },
};
const DIRTY = "<b onclick=CANARY>x</b>";

async function compiled(html: Partial<HtmlSanitizer>) {
  const report = new Report();
  const policy = resolvePolicy(POLICY, report);
  const [route] = policy?.routes ?? [];
  if (policy === undefined || route === undefined) throw new Error("the policy cannot be read");
  const environment = { html: () => Promise.resolve(html), report } as unknown as CompileEnvironment;
  const kind = await compileSanitize(policy, environment);
  const [stage] = kind.stages?.(route) ?? [];
  const rule = inTurn(undefined, kind.afterRule?.(route));
  if (stage === undefined || rule === undefined) throw new Error("nothing was compiled");
  return { stage, rule };
}

const LOST: HtmlResult = { kind: "clean", texts: [] };
const error = new Error("CANARY");

describe("a request", () => {
  it.each<readonly [string, HtmlSanitizer["clean"]]>([
    [
      "throws",
      () => {
        throw error;
      },
    ],
    ["rejects", () => Promise.reject(error)],
    ["loses a text", () => LOST],
    ["loses a text later", () => Promise.resolve(LOST)],
  ])("is a fault where the sanitizer %s", async (_name, clean) => {
    const { stage } = await compiled({ clean });
    const state = stateFor({ body: { html: DIRTY, text: DIRTY } });
    const verdict = await stage.run(state);
    expect(verdict).toMatchObject({
      kind: "fault",
      where: "outside",
      reason: "sanitizing failed",
      rule: "/routes/POST ~1a/request/sanitize",
    });
    expect(state.body).toBeUndefined();
  });

  it("is refused where a text is, and what was cleaned besides is not handed on", async () => {
    const { stage } = await compiled({
      clean: () => ({ kind: "refused", refused: [{ index: 0, rule: "sanitize-unstable" }] }),
    });
    const state = stateFor({ body: { html: DIRTY, text: DIRTY } });
    expect(await stage.run(state)).toEqual({
      kind: "refusal",
      code: "invalid-body",
      reason: "the body has texts that are not sanitized: sanitize-unstable",
      rule: "/routes/POST ~1a/request/sanitize",
      errors: [
        { pointer: "/body/html", rule: "sanitize-unstable", message: "has markup that cannot be sanitized" },
      ],
    });
    expect(state.body).toBeUndefined();
  });
});

describe("an answer", () => {
  it.each<readonly [string, HtmlSanitizer["cleanHere"], string]>([
    [
      "throws",
      () => {
        throw error;
      },
      "sanitizing failed",
    ],
    ["loses a text", () => LOST, "the answer cannot be sanitized: a text was lost on the way"],
    [
      "refuses one",
      () => ({ kind: "refused", refused: [{ index: 0, rule: "sanitize-nodes" }] }),
      "the answer cannot be sanitized: sanitize-nodes",
    ],
  ])("is withheld where the sanitizer %s", async (_name, cleanHere, reason) => {
    const { rule } = await compiled({ cleanHere });
    const answer = { html: DIRTY, text: DIRTY };
    expect(rule.apply(answer, 200, stateFor())).toEqual({
      kind: "withheld",
      code: "unreadable-response",
      reason,
    });
    expect(answer).toEqual({ html: DIRTY, text: DIRTY });
  });

  it.each([
    ["markup", DIRTY.repeat(5)],
    ["entities", "&amp;".repeat(81)],
  ])("is withheld without a look where it has more %s than its bound", async (_what, html) => {
    let asked = 0;
    const cleanHere = (): HtmlResult => {
      asked += 1;
      return LOST;
    };
    const { rule } = await compiled({ cleanHere });
    expect(rule.apply({ html }, 200, stateFor())).toEqual({
      kind: "withheld",
      code: "unreadable-response",
      reason: "the answer cannot be sanitized: it has more markup than `sanitizing.maxAnswer`",
    });
    expect(asked).toBe(0);
  });

  it("needs no sanitizer where nothing is HTML", async () => {
    const { rule } = await compiled({});
    expect(rule.apply({ text: DIRTY }, 200, stateFor())).toEqual({ kind: "json", value: { text: "x" } });
  });
});
