/**
 * Node's methods that all others end in. Whoever has kept a function of a prototype, and calls it on a response, goes around the guard's own
 * methods, but not around these: what is written here while the guard writes nothing is no answer that a policy has shaped.
 */
import { ServerResponse } from "node:http";
import { isHttp2 } from "../types.js";
import { ANSWER, answerOf } from "./guarded.js";
import type { Interception } from "./interception.js";

interface Barred {
  [ANSWER]?: Interception | undefined;
  readonly aborted?: boolean;
  readonly destroyed?: boolean;
}

type Method = (this: Barred, ...given: unknown[]) => unknown;
type Methods = Record<string, Method | undefined>;

const { _writeRaw: nodeWriteRaw, _storeHeader: nodeStoreHeader } =
  ServerResponse.prototype as unknown as Readonly<Record<"_writeRaw" | "_storeHeader", Method>>;

/** Of HTTP/2, where a response is a stream that its handler can reach too. */
const OF_A_STREAM = [
  "respond",
  "write",
  "end",
  "additionalHeaders",
  "respondWithFile",
  "respondWithFD",
] as const;

export function bar(res: ServerResponse, answer: Interception): void {
  if (isHttp2(res.req)) return barStream(res, answer);
  const target = res as unknown as Methods;
  // Another's stays where it is: it has its reasons, and calls Node's.
  if (target["_writeRaw"] === nodeWriteRaw) target["_writeRaw"] = writeRaw;
  if (target["_storeHeader"] === nodeStoreHeader) target["_storeHeader"] = storeHeader;
}

/** The last step before the socket, or before the queue of a response that is not yet at its turn. */
function writeRaw(this: Barred, data: unknown, encoding: unknown, done: unknown, size: unknown): unknown {
  if (answerOf(this).lets()) return nodeWriteRaw.call(this, data, encoding, done, size);
  // Node waits to hear of the last bytes, or the connection would stay open.
  return this.destroyed !== true && nodeWriteRaw.call(this, "", "latin1", done);
}

/** What makes a head of fields. */
function storeHeader(this: Barred, statusLine: unknown, fields: unknown): void {
  if (answerOf(this).lets()) nodeStoreHeader.call(this, statusLine, fields);
}

function barStream(res: ServerResponse, answer: Interception): void {
  const { stream } = res as unknown as { readonly stream?: (Barred & Methods) | undefined };
  if (stream === undefined) return;
  stream[ANSWER] = answer;
  for (const name of OF_A_STREAM) stream[name] = STREAM_METHODS[name];
  stream["sendTrailers"] = sendTrailers;
  stream["pushStream"] = pushStream;
}

/** A pushed response would be one that no policy has decided. */
function pushStream(_fields: unknown, options: unknown, done: unknown): void {
  const called = (typeof options === "function" ? options : done) as (error: Error) => void;
  process.nextTick(called, new Error("a guarded response pushes no other"));
}

/** Node calls it behind the body, with all that was set. */
function sendTrailers(this: Barred, fields: unknown): void {
  const { trailers } = answerOf(this);
  const declared = Object.entries(fields as object).filter(([name]) => trailers?.has(name.toLowerCase()));
  (Object.getPrototypeOf(this) as Methods)["sendTrailers"]?.call(this, Object.fromEntries(declared));
}

const STREAM_METHODS = Object.fromEntries(
  OF_A_STREAM.map((name): [string, Method] => [
    name,
    function (this: Barred, ...given) {
      const method = (Object.getPrototypeOf(this) as Methods)[name];
      // A stream that was reset is ended by Node itself.
      return this.aborted === true || answerOf(this).lets() ? method?.apply(this, given) : false;
    },
  ]),
);
