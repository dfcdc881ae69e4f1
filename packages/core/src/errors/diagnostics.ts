/** One problem of a policy document. */
export interface Diagnostic {
  /** Stable and documented, e.g. `unknown-key`. */
  readonly code: string;
  readonly severity: "error" | "warning";
  /** JSON Pointer (RFC 6901) into the document. */
  readonly pointer: string;
  /** 1-based, when the document was parsed from text. */
  readonly line?: number;
  readonly column?: number;
  readonly file?: string;
  /** What is wrong: lower case, no full stop, the author's words in backticks. */
  readonly message: string;
  /** How to mend it. */
  readonly help?: string;
}

/** Collects diagnostics: everything is reported at once. */
export class Report {
  readonly diagnostics: Diagnostic[] = [];

  error(code: string, pointer: string, message: string, help?: string): void {
    this.add("error", code, pointer, message, help);
  }

  warn(code: string, pointer: string, message: string, help?: string): void {
    this.add("warning", code, pointer, message, help);
  }

  get failed(): boolean {
    return this.diagnostics.some((diagnostic) => diagnostic.severity === "error");
  }

  private add(
    severity: "error" | "warning",
    code: string,
    pointer: string,
    message: string,
    help?: string,
  ): void {
    this.diagnostics.push({ code, severity, pointer, message, ...(help === undefined ? {} : { help }) });
  }
}

/** Thrown by `createEngine`, `bind`, `replace` and `parsePolicy`: the document cannot be served. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
  declare readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(["the policy cannot be served", ...diagnostics.map(formatDiagnostic)].join("\n"));
    // The message has them all: enumerable, a console would print each of them twice.
    Object.defineProperty(this, "diagnostics", { value: diagnostics });
  }
}

/** `orders.json:12:5 error unknown-key at /routes/…: message\n  help: …` */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, severity, code, pointer, message, help } = diagnostic;
  const place = line === undefined ? "" : `${file ?? "policy"}:${line}:${column ?? 1} `;
  const at = pointer === "" ? "the document" : pointer;
  return `${place}${severity} ${code} at ${at}: ${message}${help === undefined ? "" : `\n  help: ${help}`}`;
}
