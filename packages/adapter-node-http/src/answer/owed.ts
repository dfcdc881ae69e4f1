/**
 * Fields that the policy owes on every answer of a route, as text that was checked and joined once. Node's `writeHead` looks at each
 * character of each field with every answer, and a page's security headers are most of them.
 */
import { validateHeaderName, validateHeaderValue } from "node:http";
import type { HeaderField } from "@gatehouse/core";
import { storeHeaderBehind, type StoreHeader } from "./inner.js";

/** Undefined where there is no such text: the fields have to be handed over one by one. */
const STORES = new WeakMap<readonly HeaderField[], StoreHeader | undefined>();

/** What `writeHead` reads for its own sake. */
const READ_BY_NODE: ReadonlySet<string> = new Set([
  "connection",
  "transfer-encoding",
  "content-length",
  "date",
  "expect",
  "trailer",
  "keep-alive",
  "upgrade",
]);

/**
 * Writes them in front of all others; undefined where that cannot be.
 * @param writer the `writeHead` that will be called
 */
export function storeOf(owed: readonly HeaderField[], writer: unknown): StoreHeader | undefined {
  const native = owed.length === 0 ? undefined : storeHeaderBehind(writer);
  if (native === undefined) return undefined;
  const known = STORES.get(owed);
  if (known !== undefined || STORES.has(owed)) return known;
  const store = storeWith(owed, native);
  STORES.set(owed, store);
  return store;
}

/** Where they stand among the fields of an answer, all of them side by side and each the very same pair; else -1. */
export function runOf(fields: readonly HeaderField[], owed: readonly HeaderField[]): number {
  const [first] = owed;
  if (first === undefined) return -1;
  const from = fields.indexOf(first);
  if (from < 0) return -1;
  for (let index = 1; index < owed.length; index++) if (fields[from + index] !== owed[index]) return -1;
  return from;
}

function storeWith(owed: readonly HeaderField[], native: StoreHeader): StoreHeader | undefined {
  for (const [name, value] of owed) {
    if (READ_BY_NODE.has(name.toLowerCase())) return undefined;
    validateHeaderName(name);
    validateHeaderValue(name, value);
  }
  // Joined, not added up: V8 keeps a sum as a tree of its parts, and would walk that with every answer.
  const text = owed.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return function (statusLine, fields) {
    native.call(this, statusLine + text, fields);
  };
}
