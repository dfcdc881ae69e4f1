/** A console shows a refused policy once, each problem with its place and its mend. */
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { parsePolicy } from "../compile/parse.js";
import { createEngine } from "../engine.js";
import { PolicyError } from "./diagnostics.js";

async function refusal(text: string): Promise<PolicyError> {
  try {
    await createEngine(parsePolicy(text, "orders.json"), { secrets: { get: () => undefined } });
  } catch (error) {
    if (error instanceof PolicyError) return error;
    throw error;
  }
  throw new Error("the policy was accepted");
}

describe("PolicyError", () => {
  it("says each problem on lines of its own, and once", async () => {
    const error = await refusal(
      '{\n  "gatehouse": 1,\n  "name": "x",\n  "limits": { "a": { "limit": "9" } },\n  "cors": { "origins": "*" },\n  "rutes": {}\n}',
    );
    expect(error.message).toBe(
      [
        "the policy cannot be served",
        "orders.json:1:1 error missing-key at the document: `routes` is missing",
        "  help: add `routes`",
        "orders.json:4:22 error wrong-type at /limits/a/limit: expected a whole number, found a string",
        "  help: write it without quotes",
        "orders.json:5:13 error wrong-type at /cors/origins: expected a list, found a string",
        "  help: write it in brackets, even where it is one alone",
        "orders.json:6:3 error unknown-key at /rutes: unknown key `rutes`",
        "  help: did you mean `routes`?",
      ].join("\n"),
    );
    expect(inspect(error).match(/write it without quotes/gu)).toHaveLength(1);
  });

  it("has the place of what only the environment shows", async () => {
    const error = await refusal(
      '{\n  "gatehouse": 1,\n  "name": "x",\n  "redaction": { "key": { "secret": "env:PEPPER" } },\n' +
        '  "routes": { "GET /": { "authenticate": "none", "response": {\n' +
        '    "body": { "type": "object", "properties": { "a": { "type": "string" } } },\n' +
        '    "redact": { "/a": "hash" } } } }\n}',
    );
    expect(error.diagnostics).toEqual([
      {
        code: "unresolved-secret",
        severity: "error",
        pointer: "/redaction/key",
        file: "orders.json",
        line: 4,
        column: 18,
        message: "secret `env:PEPPER` is not set",
        help: "set the variable `PEPPER`, or hand `secrets` to createEngine",
      },
    ]);
  });
});
