/** Where in its text a document says what: remembered beside the document, never inside of it. */
import type { MemberNode, ValueNode } from "@humanwhocodes/momoa";
import { jsonTree } from "#libraries";
import type { Diagnostic } from "../errors/diagnostics.js";
import { parsePointer } from "../lib/pointer.js";

export interface Position {
  /** Both 1-based. */
  readonly line: number;
  readonly column: number;
}

interface Source {
  /** Undefined where the document has no text of its own, being a part of another. */
  readonly text: string | undefined;
  readonly file: string | undefined;
}

/** Weak: a policy that was replaced takes its text along. */
const SOURCES = new WeakMap<object, Source>();

export function rememberSource(document: object, text: string, file: string | undefined): void {
  SOURCES.set(document, { text, file });
}

/** Of a document without a text: places in it cannot be told, and references of `file:` are relative to the file. */
export function rememberFile(document: object, file: string): void {
  SOURCES.set(document, { text: undefined, file });
}

/** A copy of a document that was found to be JSON; places in it are told as in the original. */
export function copyWithSource(document: unknown): unknown {
  const copy: unknown = structuredClone(document);
  const source = isObject(document) ? SOURCES.get(document) : undefined;
  if (source !== undefined && isObject(copy)) SOURCES.set(copy, source);
  return copy;
}

/** Path of the file that a document was parsed from, when it is known. */
export function fileOf(document: object): string | undefined {
  return SOURCES.get(document)?.file;
}

/** Where a pointer leads: the name of a member, or the first character of an entry. Undefined without a text. */
export function locate(document: object, pointer: string): Position | undefined {
  const source = SOURCES.get(document);
  return source?.text === undefined ? undefined : find(treeOf(source.text), pointer);
}

/** Adds line, column and file to the diagnostics of a document that was parsed from text. */
export function withPositions(document: unknown, diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const source = isObject(document) ? SOURCES.get(document) : undefined;
  if (source === undefined || diagnostics.length === 0) return [...diagnostics];
  const file = source.file === undefined ? {} : { file: source.file };
  if (source.text === undefined) return diagnostics.map((diagnostic) => ({ ...diagnostic, ...file }));
  // The tree is made again rather than kept: it weighs many times the text, and a good policy never asks for it.
  const tree = treeOf(source.text);
  return diagnostics.map((diagnostic) => ({ ...diagnostic, ...file, ...find(tree, diagnostic.pointer) }));
}

function isObject(document: unknown): document is object {
  return typeof document === "object" && document !== null;
}

function treeOf(text: string): ValueNode {
  return jsonTree()(text, { mode: "jsonc", allowTrailingCommas: true }).body;
}

/** The nearest place that exists: a key that is missing is reported at the object that lacks it. */
function find(tree: ValueNode, pointer: string): Position {
  let value = tree;
  let place = startOf(tree);
  for (const segment of parsePointer(pointer) ?? []) {
    const inner = descend(value, segment);
    if (inner === undefined) break;
    ({ value, place } = inner);
  }
  return place;
}

function descend(node: ValueNode, segment: string): { value: ValueNode; place: Position } | undefined {
  if (node.type === "Array") {
    const element = node.elements[Number(segment)];
    return element === undefined ? undefined : { value: element.value, place: startOf(element.value) };
  }
  if (node.type !== "Object") return undefined;
  const member = node.members.find((one) => nameOf(one) === segment);
  return member === undefined ? undefined : { value: member.value, place: startOf(member.name) };
}

export function nameOf({ name }: MemberNode): string {
  return name.type === "String" ? name.value : name.name;
}

export function startOf({ loc }: { readonly loc: { readonly start: Position } }): Position {
  return { line: loc.start.line, column: loc.start.column };
}
