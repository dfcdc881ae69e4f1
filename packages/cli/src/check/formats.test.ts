/** What leaves for terminals and programs. */
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, it } from "vitest";
import { check, type CheckedText } from "./check.js";
import { formatPretty } from "./pretty.js";
import { formatSarif } from "./sarif.js";

const checked = (file: string, text: string): CheckedText => ({ file, text, diagnostics: check(text, file) });
const BAD = checked(
  "policies/my policy.json",
  '{\n  "gatehouse": 1,\n  "name": "x",\n  "rutes": {},\n  "routes": { "GET /": { "authorize": "authenticated" } }\n}',
);

/** The parts of the standard's own schema that are written, closed: what is no member of SARIF is found. */
const closed = (required: string[], properties: object): object => ({
  type: "object",
  required,
  properties,
  additionalProperties: false,
});
const text = closed(["text"], { text: { type: "string", minLength: 1 } });
const SARIF = closed(["$schema", "version", "runs"], {
  $schema: { type: "string", format: "uri" },
  version: { const: "2.1.0" },
  runs: {
    type: "array",
    items: closed(["tool", "columnKind", "results"], {
      tool: closed(["driver"], {
        driver: closed(["name", "semanticVersion", "rules"], {
          name: { const: "gatehouse" },
          semanticVersion: { type: "string", pattern: "^\\d+\\.\\d+\\.\\d+" },
          rules: {
            type: "array",
            uniqueItems: true,
            items: closed(["id", "shortDescription"], { id: { type: "string" }, shortDescription: text }),
          },
        }),
      }),
      columnKind: { enum: ["utf16CodeUnits", "unicodeCodePoints"] },
      results: {
        type: "array",
        items: closed(["ruleId", "ruleIndex", "level", "message", "locations"], {
          ruleId: { type: "string" },
          ruleIndex: { type: "integer", minimum: 0 },
          level: { enum: ["none", "note", "warning", "error"] },
          message: text,
          locations: {
            type: "array",
            minItems: 1,
            items: closed(["physicalLocation", "logicalLocations"], {
              physicalLocation: closed(["artifactLocation"], {
                artifactLocation: closed(["uri"], { uri: { type: "string", pattern: "^[^\\s\\\\]+$" } }),
                region: closed(["startLine"], {
                  startLine: { type: "integer", minimum: 1 },
                  startColumn: { type: "integer", minimum: 1 },
                }),
              }),
              logicalLocations: {
                type: "array",
                items: closed([], { fullyQualifiedName: { type: "string" }, kind: { const: "member" } }),
              },
            }),
          },
        }),
      },
    }),
  },
});

interface SarifLog {
  readonly runs: readonly [
    {
      readonly tool: {
        readonly driver: { readonly rules: readonly { id: string; shortDescription: unknown }[] };
      };
      readonly results: readonly {
        readonly ruleId: string;
        readonly ruleIndex: number;
        readonly message: { readonly text: string };
        readonly locations: readonly { readonly physicalLocation: unknown }[];
      }[];
    },
  ];
}

it("writes SARIF 2.1.0, each result with its rule, its place and its mend", () => {
  const log = JSON.parse(formatSarif([BAD])) as SarifLog;
  const ajv = new Ajv2020({ validateFormats: false, allErrors: true });
  ajv.validate(SARIF, log);
  expect(ajv.errors).toBeNull();
  const [run] = log.runs;
  expect(run.results.map(({ ruleId }) => ruleId)).toEqual(["unknown-key", "no-authenticator"]);
  const { rules } = run.tool.driver;
  for (const { ruleId, ruleIndex } of run.results) expect(rules[ruleIndex]?.id).toBe(ruleId);
  expect(run.results[0]?.message.text).toBe("unknown key `rutes`; did you mean `routes`?");
  expect(run.results[0]?.locations[0]?.physicalLocation).toEqual({
    artifactLocation: { uri: "policies/my%20policy.json" },
    region: { startLine: 4, startColumn: 3 },
  });
  expect(rules[1]?.shortDescription).toEqual({ text: "A key is not part of the language." });
});

it("writes an empty list where nothing is wrong: a scanner then closes what it had found", () => {
  const good = checked(
    "p.json",
    '{ "gatehouse": 1, "name": "x", "routes": { "GET /": { "authenticate": "none" } } }',
  );
  expect(JSON.parse(formatSarif([good])).runs[0].results).toEqual([]);
});

it("colours only where it is told to, and says the same", () => {
  const plain = formatPretty([BAD]);
  const coloured = formatPretty([BAD], { colour: true });
  expect(coloured).toContain("\u001B[31m");
  expect(coloured.replaceAll(/\u001B\[\d+m/gu, "")).toBe(plain);
});

it("lets no control character of a policy or a name reach the terminal", () => {
  const evil = checked(
    "a\u001B[2Jb.json",
    '{ "gatehouse": 1, "name": "x", "r\\u001b[2Ju\u202Ees": {}, "routes": {} }',
  );
  const told = formatPretty([evil]);
  expect(told).not.toMatch(/[\u001B\u202E]/u);
  expect(told).toContain("a\\u{1B}[2Jb.json");
});
