/**
 * Fields as the lines of a head. Node's `writeHead` looks at each character of each name and value with every answer; a name is looked
 * at here when it is first met, and a value that stands on nearly every answer where it changes.
 */
import { validateHeaderName, validateHeaderValue } from "node:http";
import type { HeaderField } from "@gatehouse/core";

/** What `writeHead` reads for its own sake, or writes in a way of its own. */
const OF_NODE: ReadonlySet<string> = new Set([
  "connection",
  "transfer-encoding",
  "content-length",
  "date",
  "expect",
  "trailer",
  "keep-alive",
  "upgrade",
  "content-disposition",
]);

/** Their values say something of the application and nothing of a caller: the last line of each may stay in memory. */
const SETTLED: readonly string[] = [
  "Content-Type",
  "Vary",
  "Cache-Control",
  "RateLimit-Policy",
  "Access-Control-Allow-Origin",
  "Access-Control-Allow-Credentials",
  "Access-Control-Expose-Headers",
];

/** What a name's lines begin with, and of a settled one the last line. */
interface Beginning {
  /** Undefined: Node is to write this field. */
  readonly text: string | undefined;
  settled: boolean;
  value: string | undefined;
  line: string;
}

/** A server sends few names; what comes later is looked at each time. */
const MOST_NAMES = 512;
const MAX_LENGTH = 64;
const BEGINNINGS = new Map<string, Beginning>();
for (const name of SETTLED)
  for (const written of [name, name.toLowerCase()]) beginningOf(written).settled = true;

/** Fields that the policy owes on every answer of a route, as one text; undefined where Node has to write one of them. */
const OWED = new WeakMap<readonly HeaderField[], string | undefined>();

export interface Lines {
  readonly text: string;
  /** What Node is to write behind them. */
  readonly left: readonly HeaderField[];
}

/**
 * @param owed constant fields that may be among them: these come first
 * @throws what Node throws where a field cannot be sent
 */
export function linesOf(fields: readonly HeaderField[], owed: readonly HeaderField[]): Lines {
  const known = owedText(owed);
  const from = known === undefined ? -1 : runOf(fields, owed);
  let text = from < 0 ? "" : (known ?? "");
  const left: HeaderField[] = [];
  let severally: Set<string> | undefined;
  let values = "";
  for (let index = from === 0 ? owed.length : 0; index < fields.length; index++) {
    const field = fields[index];
    if (field === undefined) break;
    const beginning = beginningOf(field[0]);
    // What a name has several values for, Node joins or splits by rules of its own. Then all that follow under that name are its to write:
    // the lines of one name keep their order, by which the last cookie of a name is the one that counts.
    if (repeats(fields, index)) (severally ??= new Set()).add(field[0].toLowerCase());
    if (beginning.text === undefined || severally?.has(field[0].toLowerCase()) === true) left.push(field);
    else if (beginning.settled) text += settledLine(beginning, beginning.text, field);
    else {
      values += field[1];
      text += `${beginning.text}${field[1]}\r\n`;
    }
    if (index + 1 === from) index += owed.length;
  }
  // All at once: what was added up is put in one piece to be looked at.
  if (UNSENDABLE.test(values)) for (const [name, value] of fields) validateHeaderValue(name, value);
  return { text, left };
}

/** What Node refuses in a value, and RFC 9110 section 5.5 does not allow. Node's own check makes a list and a frame with each call. */
const UNSENDABLE = /[^\t\x20-\x7e\x80-\xff]/;

/** True for a field of which the last line is still there: it was looked at then. */
export function isKnown(name: string, value: unknown): boolean {
  return value !== undefined && BEGINNINGS.get(name)?.value === value;
}

/** Neighbours only: an answer's repeated fields come from one array, and stay side by side. */
export function repeats(fields: readonly HeaderField[], index: number): boolean {
  const next = fields[index + 1];
  const field = fields[index];
  return (
    next !== undefined && field !== undefined && next[0].length === field[0].length && next[0] === field[0]
  );
}

function settledLine(beginning: Beginning, text: string, [name, value]: HeaderField): string {
  if (beginning.value !== value) {
    validateHeaderValue(name, value);
    beginning.line = joined([text, value, "\r\n"]);
    beginning.value = value;
  }
  return beginning.line;
}

function beginningOf(name: string): Beginning {
  const known = BEGINNINGS.get(name);
  if (known !== undefined) return known;
  validateHeaderName(name);
  const text = OF_NODE.has(name.toLowerCase()) ? undefined : joined([name, ": "]);
  const beginning: Beginning = { text, settled: false, value: undefined, line: "" };
  if (BEGINNINGS.size < MOST_NAMES && name.length <= MAX_LENGTH) BEGINNINGS.set(name, beginning);
  return beginning;
}

function owedText(owed: readonly HeaderField[]): string | undefined {
  if (owed.length === 0) return undefined;
  const known = OWED.get(owed);
  if (known !== undefined || OWED.has(owed)) return known;
  const lines: string[] = [];
  for (const field of owed) {
    const beginning = beginningOf(field[0]);
    // Refusals carry most of these too, not side by side.
    beginning.settled = true;
    if (beginning.text !== undefined) lines.push(settledLine(beginning, beginning.text, field));
  }
  const text = lines.length === owed.length ? joined(lines) : undefined;
  OWED.set(owed, text);
  return text;
}

/** Where they stand among the fields of an answer, all of them side by side and each the very same pair; else -1. */
function runOf(fields: readonly HeaderField[], owed: readonly HeaderField[]): number {
  const [first] = owed;
  if (first === undefined) return -1;
  const from = fields.indexOf(first);
  if (from < 0) return -1;
  for (let index = 1; index < owed.length; index++) if (fields[from + index] !== owed[index]) return -1;
  return from;
}

/** Joined, not added up: V8 keeps a sum as a tree of its parts, and would walk that with every answer. */
function joined(parts: readonly string[]): string {
  return parts.join("");
}
