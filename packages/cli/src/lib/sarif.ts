/** Findings as SARIF 2.1.0 (OASIS), for code scanning. */
import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";

export interface SarifRule {
  readonly id: string;
  readonly text: string;
  readonly help?: string;
  readonly tags?: readonly string[];
}

export interface SarifFinding {
  readonly ruleId: string;
  readonly level: "error" | "warning" | "note";
  readonly message: string;
  readonly file: string;
  readonly pointer: string;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  /** Accepted by somebody: why. */
  readonly suppressed?: string;
}

/** @param rules those that `findings` name, each once, in order */
export function sarifOf(
  version: string,
  rules: readonly SarifRule[],
  findings: readonly SarifFinding[],
): string {
  const indices = new Map(rules.map(({ id }, index) => [id, index]));
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: { name: "gatehouse", semanticVersion: version, rules: rules.map(ruleOf) },
        },
        // What a parser of JavaScript counts columns in (section 3.14.17).
        columnKind: "utf16CodeUnits",
        results: findings.map((finding) => resultOf(finding, indices)),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function ruleOf({ id, text, help, tags }: SarifRule): object {
  return {
    id,
    shortDescription: { text },
    ...(help === undefined ? {} : { help: { text: help } }),
    ...(tags === undefined ? {} : { properties: { tags } }),
  };
}

function resultOf(finding: SarifFinding, indices: ReadonlyMap<string, number>): object {
  const { ruleId, level, message, file, pointer, line, column, suppressed } = finding;
  const ruleIndex = indices.get(ruleId);
  return {
    ruleId,
    ...(ruleIndex === undefined ? {} : { ruleIndex }),
    level,
    message: { text: message },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(file) },
          ...(line === undefined
            ? {}
            : { region: { startLine: line, ...(column === undefined ? {} : { startColumn: column }) } }),
        },
        logicalLocations: [{ fullyQualifiedName: pointer === "" ? "/" : pointer, kind: "member" }],
      },
    ],
    ...(suppressed === undefined
      ? {}
      : { suppressions: [{ kind: "external", status: "accepted", justification: suppressed }] }),
  };
}

/** Relative where the path is: then a code scanner finds the file in its checkout. */
function uriOf(file: string): string {
  if (isAbsolute(file)) return pathToFileURL(file).href;
  const path = file.replaceAll("\\", "/").replace(/^(?:\.\/)+/u, "");
  return path
    .split("/")
    .map((segment) => encodeURIComponent(segment))
    .join("/");
}
