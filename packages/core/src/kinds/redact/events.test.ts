/** `response.events`: what is refused of it, and which of its neighbours reach it. */
import { describe, expect, it } from "vitest";
import { checkPolicy } from "../../index.js";
import type { Diagnostic } from "../../errors/diagnostics.js";
import { diagnose, documentWith } from "./redact.test-support.js";

const events = { type: "object", properties: { id: { type: "integer" }, note: { type: "string" } } };
const AT = "/routes/GET ~1/response";

function found(response: unknown): readonly Diagnostic[] {
  return diagnose(documentWith(response));
}

describe("a schema of events", () => {
  it("is held to what projection can follow", () => {
    expect(found({ events: { ...events, not: { required: ["x"] } } })).toMatchObject([
      { code: "unfollowed-keyword", pointer: `${AT}/events/not` },
    ]);
  });

  it("is looked through as every schema is", () => {
    expect(checkPolicy(documentWith({ events: { type: "object", propertis: {} } }))).toMatchObject([
      {
        code: "unknown-keyword",
        pointer: `${AT}/events/propertis`,
        help: "did you mean `properties`?",
      },
    ]);
    expect(checkPolicy(documentWith({ events: { $ref: "#/schemas/None" } }))).toMatchObject([
      { code: "unknown-schema", pointer: `${AT}/events/$ref` },
    ]);
  });

  it("needs the key where it hashes", () => {
    const hashed = { properties: { id: { type: "integer", redact: "hash" } } };
    expect(found({ events: hashed })).toMatchObject([
      { code: "missing-redaction-key", pointer: `${AT}/events/properties/id/redact` },
    ]);
  });
});

describe("beside it", () => {
  it("a pointer must match events or a body", () => {
    const body = { type: "object", properties: { total: { type: "integer" } } };
    expect(found({ events, body, redact: { "/note": "mask", "/total": "mask" } })).toEqual([]);
    expect(found({ events, redact: { "/notes": "mask" } })).toEqual([
      {
        code: "unmatched-redaction",
        pointer: `${AT}/redact/~1notes`,
        message: "`/notes` matches nothing that the response schema lets out",
        help: "did you mean `/note`?",
        severity: "error",
      },
    ]);
  });

  it("`sanitize` must lead to a text of events or of a body", () => {
    expect(checkPolicy(documentWith({ events, sanitize: { "/note": "text" } }))).toEqual([]);
    expect(
      checkPolicy(documentWith({ events, sanitize: { "/id": "text", "/notes": "text" } })).map(
        ({ code, pointer, help }) => [code, pointer, help],
      ),
    ).toEqual([
      [
        "no-text-to-sanitize",
        `${AT}/sanitize/~1id`,
        "point at the texts themselves; `/*` and `/**` reach below",
      ],
      ["unmatched-sanitizing", `${AT}/sanitize/~1notes`, "did you mean `/note`?"],
    ]);
  });

  it("`onMismatch` has a schema to be about", () => {
    expect(found({ events, onMismatch: "withhold" })).toEqual([]);
    expect(found({ onMismatch: "withhold" })).toEqual([
      {
        code: "setting-without-effect",
        pointer: `${AT}/onMismatch`,
        message:
          "`onMismatch` is about a schema of the answer, and the route has none of `response.body`, `response.bodies` and `response.events`",
        help: "write one of them, or leave the key out",
        severity: "error",
      },
    ]);
  });
});
