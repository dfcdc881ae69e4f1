/** Text to document: JSON with comments and trailing commas (JSONC), read strictly, since what two readers read differently is no policy. */
import type { MemberNode, StringNode, ValueNode } from "@humanwhocodes/momoa";
import { jsonTree } from "#libraries";
import { type Diagnostic, PolicyError, Report } from "../errors/diagnostics.js";
import { pointerTo } from "../lib/pointer.js";
import type { PolicyDocument } from "../model/policy.js";
import { checkBounds, MAX_DEPTH, MAX_TEXT } from "./bounds.js";
import { nestsTooDeep } from "./nesting.js";
import { nameOf, type Position, rememberSource, startOf, withPositions } from "./positions.js";
import { kindOf, quote } from "./words.js";

/**
 * Reads a policy from text. What it means is not looked at here: `checkPolicy` and `createEngine` do, and
 * their diagnostics have line and column because the text is remembered.
 * @param file names the text in diagnostics; `file:` secrets are relative to it
 * @throws PolicyError with every problem of syntax, duplicate key and unreadable value; nothing else
 */
export function parsePolicy(text: string, file?: string): PolicyDocument {
  const read = readObject(text, file);
  if ("diagnostics" in read) throw new PolicyError(read.diagnostics);
  // An object; whether it is a policy is the checks' to say.
  return read.object as PolicyDocument;
}

/** An object from text, in the same notation and as strictly, or all that keeps it from being one. */
export function readObject(
  text: string,
  file?: string,
): { readonly object: object } | { readonly diagnostics: readonly Diagnostic[] } {
  const report = new Report();
  // Some editors begin a file with a byte order mark; it says nothing.
  const content = text.startsWith("\uFEFF") ? text.slice(1) : text;
  const tree = readTree(content, report);
  if (tree === undefined) return { diagnostics: inFile(report.diagnostics, file) };
  const problems: Diagnostic[] = [];
  const document = valueOf(tree, "", { text: content, problems });
  if (!isObject(document)) {
    report.error("wrong-type", "", `expected an object, found ${kindOf(document)}`);
    return { diagnostics: inFile(report.diagnostics, file) };
  }
  rememberSource(document, content, file);
  checkBounds(document, report);
  const diagnostics = [...withPositions(document, report.diagnostics), ...inFile(problems, file)];
  return diagnostics.length > 0 ? { diagnostics } : { object: document };
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readTree(text: string, report: Report): ValueNode | undefined {
  if (text.length > MAX_TEXT) {
    report.error(
      "too-large",
      "",
      `the text has ${text.length} characters, at most ${MAX_TEXT} are read`,
      "split the API, or its policy",
    );
  } else if (nestsTooDeep(text, MAX_DEPTH)) {
    report.error(
      "too-deep",
      "",
      `the text is nested more than ${MAX_DEPTH} levels deep`,
      "name inner schemas under `schemas`",
    );
  } else {
    try {
      return jsonTree()(text, { mode: "jsonc", allowTrailingCommas: true }).body;
    } catch (error) {
      report.diagnostics.push(syntaxError(error, text));
    }
  }
  return undefined;
}

/** The parser's words without its position, which the diagnostic has fields for. */
function syntaxError(error: unknown, text: string): Diagnostic {
  const words =
    text.trim() === ""
      ? "the text is empty"
      : error instanceof Error
        ? error.message.replace(/\.? ?\(\d+:\d+\)$/u, "")
        : "it is no JSON";
  const message = words.replace(/token (\w+)/u, (_all, token: string) => TOKENS.get(token) ?? "token");
  return {
    code: "syntax",
    severity: "error",
    pointer: "",
    message: `${message.charAt(0).toLowerCase()}${message.slice(1)}`,
    help: "a policy is JSON; comments and trailing commas are allowed",
    ...positionOf(error),
  };
}

/** The parser's names of tokens, as an author wrote them. */
const TOKENS: ReadonlyMap<string, string> = new Map([
  ["LBrace", "`{`"],
  ["RBrace", "`}`"],
  ["LBracket", "`[`"],
  ["RBracket", "`]`"],
  ["Colon", "`:`"],
  ["Comma", "`,`"],
  ["String", "string"],
  ["Number", "number"],
  ["Boolean", "boolean"],
  ["Null", "null"],
]);

function positionOf(error: unknown): Position | undefined {
  if (typeof error !== "object" || error === null || !("line" in error) || !("column" in error))
    return undefined;
  const { line, column } = error;
  return typeof line === "number" && typeof column === "number" ? { line, column } : undefined;
}

interface Reading {
  readonly text: string;
  readonly problems: Diagnostic[];
}

function valueOf(node: ValueNode, pointer: string, reading: Reading): unknown {
  switch (node.type) {
    case "Object":
      return objectOf(node.members, pointer, reading);
    case "Array":
      return node.elements.map(({ value }, index) => valueOf(value, pointerTo(pointer, index), reading));
    case "Null":
      return null;
    case "String":
      checkText(node, pointer, reading);
      return node.value;
    case "Number":
    case "Boolean":
      return node.value;
    case "NaN":
    case "Infinity":
      return Number.NaN;
  }
}

const CONTROL = /[\u0000-\u001f]/u;

/** The parser takes control characters in a text as they are; JSON has none there (RFC 8259 section 7), and other readers refuse them. */
function checkText({ loc }: StringNode, pointer: string, { text, problems }: Reading): void {
  const written = text.slice(loc.start.offset, loc.end.offset);
  if (!CONTROL.test(written)) return;
  problems.push({
    code: "syntax",
    severity: "error",
    pointer,
    message: "a text holds a control character as it is",
    help: "write it as an escape, such as `\\t` or `\\n`",
    ...startOf({ loc }),
  });
}

function objectOf(members: readonly MemberNode[], pointer: string, reading: Reading): object {
  const object: Record<string, unknown> = {};
  for (const member of members) {
    const name = nameOf(member);
    const place = pointerTo(pointer, name);
    if (member.name.type === "String") checkText(member.name, pointer, reading);
    const value = valueOf(member.value, place, reading);
    if (Object.hasOwn(object, name)) reading.problems.push(duplicateKey(name, place, member));
    // Assigning `__proto__` would set the prototype; defined, it is a key that the bounds report.
    else Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
  }
  return object;
}

function duplicateKey(name: string, pointer: string, member: MemberNode): Diagnostic {
  return {
    code: "duplicate-key",
    severity: "error",
    pointer,
    message: `key ${quote(name)} stands twice in one object`,
    help: "keep one of them: readers disagree about which one counts",
    ...startOf(member.name),
  };
}

function inFile(diagnostics: readonly Diagnostic[], file: string | undefined): Diagnostic[] {
  return diagnostics.map((diagnostic) => (file === undefined ? diagnostic : { ...diagnostic, file }));
}
