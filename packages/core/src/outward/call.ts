/**
 * Calls over the network, bounded in every respect: HTTPS unless on this machine, one deadline for all of it, an answer of
 * limited size, no redirect (a redirect would let the called choose where secrets go, and reach what only we can reach),
 * and no cookies or other credentials of the page that the engine runs in.
 */
import { isLoopbackAddress, namedUrl, nameOfThisMachine, outwardUrlProblem } from "../lib/outward-url.js";
import type { Platform } from "../ports/platform.js";
import type { Fetch, OutwardAnswer, OutwardCall, OutwardFailure, OutwardRequest } from "../ports/outward.js";

export const DEFAULT_DEADLINE_MS = 5000;

/**
 * @param closed aborted when the engine is closed: every call ends with it
 * @param names how names are looked up, where they can be. Who hands in a `fetch`, or has put another in the global place, looks them up in
 * ways of its own
 */
export function outwardCall(given: Fetch | undefined, closed: AbortSignal, names: Names = {}): OutwardCall {
  let calls: OpenCalls | undefined;
  return (request) => {
    const where = namedUrl(request.url);
    const problem = outwardUrlProblem(request.url);
    if (problem !== undefined) return Promise.resolve(failure(`the URL to call ${problem}`));
    if (closed.aborted || request.signal?.aborted === true)
      return Promise.resolve(failure(`${where} is not called any more`));
    // With the first call: to listen takes longer than all else here, and most engines never call.
    const open = (calls ??= new OpenCalls(closed));
    // Looked up at each call, as any other caller of the global one would do.
    const send: Fetch = given ?? ((url, init) => globalThis.fetch(url, init));
    const run = (signal: AbortSignal): Promise<OutwardAnswer | OutwardFailure> =>
      exchange(send, request, where, signal);
    const name = given === undefined ? nameOfThisMachine(request.url) : undefined;
    const { addressesOf } = names;
    if (name === undefined || addressesOf === undefined) return bounded(request, where, open, run);
    return bounded(request, where, open, async (signal) => {
      const addresses = await addressesOf(name);
      const isHere = addresses.length > 0 && addresses.every(isLoopbackAddress);
      if (!isHere) return failure(`${where} leads to another machine`);
      const { fetchAt } = names;
      if (fetchAt === undefined || globalThis.fetch !== FETCH) return await run(signal);
      // Else the name would be looked up once more, and lead wherever whoever answers for names says now.
      return await exchange((url, init) => fetchAt(addresses, url, init), request, where, signal);
    });
  };
}

type Names = Partial<Pick<Platform, "addressesOf" | "fetchAt">>;

/** The runtime's own, unless somebody was here before. */
const FETCH: unknown = globalThis.fetch;

/** One listener for all calls of an engine: hundreds on one signal look like a leak, and are as slow as one. */
class OpenCalls {
  readonly #givingUp = new Set<() => void>();

  constructor(closed: AbortSignal) {
    closed.addEventListener("abort", () => {
      for (const giveUp of this.#givingUp) giveUp();
    });
  }

  add(giveUp: () => void): void {
    this.#givingUp.add(giveUp);
  }

  delete(giveUp: () => void): void {
    this.#givingUp.delete(giveUp);
  }
}

function failure(reason: string): OutwardFailure {
  return { kind: "failure", reason };
}

/** Whatever `fetch` does with its signal, the answer is not waited for beyond the deadline. */
function bounded(
  { deadlineMs = DEFAULT_DEADLINE_MS, signal }: OutwardRequest,
  where: string,
  open: OpenCalls,
  run: (signal: AbortSignal) => Promise<OutwardAnswer | OutwardFailure>,
): Promise<OutwardAnswer | OutwardFailure> {
  return new Promise((resolve) => {
    const abort = new AbortController();
    const settle = (outcome: OutwardAnswer | OutwardFailure): void => {
      clearTimeout(timer);
      open.delete(giveUp);
      signal?.removeEventListener("abort", giveUp);
      resolve(outcome);
      // After the answer was read this ends nothing; before, it frees the connection.
      abort.abort();
    };
    const timer = setTimeout(() => settle(failure(`${where} took longer than ${deadlineMs} ms`)), deadlineMs);
    const giveUp = (): void => settle(failure(`the call of ${where} was given up`));
    open.add(giveUp);
    signal?.addEventListener("abort", giveUp);
    run(abort.signal).then(settle, (error: unknown) => settle(failure(`${where} ${reasonOf(error)}`)));
  });
}

async function exchange(
  send: Fetch,
  request: OutwardRequest,
  where: string,
  signal: AbortSignal,
): Promise<OutwardAnswer | OutwardFailure> {
  const { url, method = "GET", headers = {}, body, maxBytes } = request;
  const response = await send(url, {
    ...(bare ??= bareInit()),
    method,
    headers,
    redirect: "manual",
    signal,
    ...(body !== undefined && { body }),
  });
  if (isRedirect(response)) {
    await discard(response);
    return failure(`${where} answered with a redirect, which is not followed`);
  }
  const bytes = await readUpTo(response, maxBytes);
  if (bytes === undefined) return failure(`${where} answered with more than ${maxBytes} bytes`);
  const { status } = response;
  return { kind: "answer", status, header: (name) => response.headers.get(name) ?? undefined, body: bytes };
}

/**
 * A page's cookies and client certificates are nobody's here, and neither is what its cache holds. Some workers know none of the two. Asked
 * with the first call: the first `Request` of a process makes Node load all of its client.
 */
let bare: RequestInit | undefined;

function bareInit(): RequestInit {
  const wanted = { credentials: "omit", cache: "no-store" } as const;
  try {
    return new Request("https://gatehouse.invalid/", wanted).credentials === "omit" ? wanted : {};
  } catch {
    return {};
  }
}

/**
 * In a browser a redirect that was not followed has no status; a `fetch` that follows all the same says so in `redirected`.
 * 304 leads nowhere: it answers a condition that the caller stated.
 */
function isRedirect({ status, type, redirected }: Response): boolean {
  return redirected || type === "opaqueredirect" || (status >= 300 && status < 400 && status !== 304);
}

/** Undefined once it is too long: counted as it is read, because a length that is stated may be a lie, and one before decompression is no measure. */
async function readUpTo(response: Response, maxBytes: number): Promise<Uint8Array | undefined> {
  if (Number(response.headers.get("content-length") ?? 0) > maxBytes) {
    await discard(response);
    return undefined;
  }
  if (response.body === null) return new Uint8Array();
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return joined(chunks, length);
    length += value.byteLength;
    if (length > maxBytes) {
      void reader.cancel().catch(() => undefined);
      return undefined;
    }
    chunks.push(value);
  }
}

async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined);
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

/** Messages of `fetch` may quote the URL with its query; a code of the operating system quotes nothing. */
function reasonOf(error: unknown): string {
  const cause: unknown = error instanceof Error ? (error.cause ?? error) : undefined;
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined;
  const named = typeof code === "string" && /^[A-Z][A-Z0-9_]{1,40}$/u.test(code) ? ` (${code})` : "";
  return `cannot be reached${named}`;
}
