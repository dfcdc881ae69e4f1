/**
 * Fields that the policy owes on every answer of a route, as text that was checked and joined once. Node's `writeHead` looks at each
 * character of each field with every answer, and a page's security headers are most of them.
 */
import { IncomingMessage, ServerResponse, validateHeaderName, validateHeaderValue } from "node:http";
import type { HeaderField } from "@gatehouse/core";

/** Node's own: it writes the fields behind the status line, and frames the message. `writeHead` calls it on the response. */
export type Store = (this: ServerResponse, statusLine: string, fields: unknown) => void;

const { prototype } = ServerResponse;
const { writeHead, _storeHeader: storeHeader } = prototype as unknown as {
  readonly writeHead: unknown;
  readonly _storeHeader?: Store;
};

/** Undefined where there is no such text: the fields have to be handed over one by one. */
const STORES = new WeakMap<readonly HeaderField[], Store | undefined>();

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
 * @param writer the `writeHead` that will be called: where something wraps Node's, it is to see all fields
 */
export function storeOf(owed: readonly HeaderField[], writer: unknown): Store | undefined {
  if (writer !== writeHead || !CAN_STORE || owed.length === 0) return undefined;
  const known = STORES.get(owed);
  if (known !== undefined || STORES.has(owed)) return known;
  const store = storeWith(owed);
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

function storeWith(owed: readonly HeaderField[]): Store | undefined {
  if (storeHeader === undefined) return undefined;
  let text = "";
  for (const [name, value] of owed) {
    if (READ_BY_NODE.has(name.toLowerCase())) return undefined;
    validateHeaderName(name);
    validateHeaderValue(name, value);
    text += `${name}: ${value}\r\n`;
  }
  return function (statusLine, fields) {
    storeHeader.call(this, statusLine + text, fields);
  };
}

/** `_storeHeader` is not documented. Where a version of Node calls it in another way, nothing of this file is used. */
const CAN_STORE = canStore();

function canStore(): boolean {
  try {
    const res = new ServerResponse(new IncomingMessage(undefined as never)) as ServerResponse & {
      _storeHeader: Store;
      readonly _header?: unknown;
    };
    const seen: unknown[] = [];
    res._storeHeader = function (...given) {
      seen.push(...given);
      storeHeader?.call(this, `${given[0]}A: b\r\n`, given[1]);
    };
    res.sendDate = false;
    const list = ["C", "d"];
    res.writeHead(201, list);
    const head = "HTTP/1.1 201 Created\r\nA: b\r\nC: d\r\n";
    return seen[0] === "HTTP/1.1 201 Created\r\n" && seen[1] === list && String(res._header).startsWith(head);
  } catch {
    return false;
  }
}
