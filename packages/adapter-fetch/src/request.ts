/** From a Request to what the engine reads. The URL parser and Headers came first: what they hid stays hidden. */
import type { HeaderField, RawRequest } from "@gatehouse/core";

/** What a Request does not tell, or not reliably. */
export interface RequestFacts {
  /** As it stood on the request line; undefined: what is left of it in `request.url`. */
  readonly target: string | undefined;
  readonly mountPrefix: string;
  readonly remoteAddress: string | undefined;
  readonly encrypted: boolean;
  /** Bytes follow the head, whether or not a field says so. */
  readonly hasContent: boolean;
}

/** @throws Error when the target that was supplied is another resource than the one that the handler sees */
export function readRequest(request: Request, facts: RequestFacts): RawRequest {
  const { url } = request;
  const { target, mountPrefix } = facts;
  if (target !== undefined && !isSameResource(target, url)) throw new Error(FOREIGN);
  const start = pathStart(url);
  const authority = url.slice(url.indexOf("//") + 2, start);
  const headers = fieldsOf(request.headers);
  const host = request.headers.get("host");
  // HTTP/2 names its host in `:authority`, of which only the URL is left.
  if (host === null) headers.push(["Host", authority]);
  return {
    method: request.method,
    target: target ?? targetOf(url, start, host ?? authority, authority, mountPrefix),
    headers,
    remoteAddress: facts.remoteAddress,
    encrypted: facts.encrypted,
    hasContent: facts.hasContent,
    upgrade: asksToUpgrade(request),
  };
}

const FOREIGN =
  "`target` gave a path that is not the one of `request.url`: the policy would decide another resource than the handler serves";

/**
 * Where Host and URL differ, the request line was in absolute form: the engine is shown it so, and compares. The scheme that stands
 * there is the caller's word, and nothing believes it.
 */
function targetOf(url: string, start: number, host: string, authority: string, prefix: string): string {
  const path = url.slice(start);
  const below = prefix === "" ? path : prefix + path;
  return host === authority ? below : url.slice(0, start) + below;
}

/** Where the path begins. No URL parser: the one that made this text must be the last to read it. */
function pathStart(url: string): number {
  const start = url.indexOf("/", url.indexOf("//") + 2);
  return start < 0 ? url.length : start;
}

/** Path and query as the handler finds them. */
export function pathAndQuery(url: string): string {
  return url.slice(pathStart(url));
}

const ABSOLUTE = /^https?:\/\/[^/?#]/i;
/** Scheme and authority: a query may follow without a path, with slashes of its own. */
const ORIGIN = /^https?:\/\/[^/?#]*/i;

/** The parser of URLs takes dot segments out and encodes; what it makes of the target must be what the handler was given. */
function isSameResource(target: string, url: string): boolean {
  // In any other form, and without an authority, it leads to no route.
  if (!target.startsWith("/") && !ABSOLUTE.test(target)) return true;
  const rest = target.replace(ORIGIN, "");
  const path = rest.startsWith("/") ? rest : `/${rest}`;
  const served = pathAndQuery(url);
  if (path === served) return true;
  try {
    return pathAndQuery(new URL(`http://target.invalid${path}`).href) === served;
  } catch {
    return false;
  }
}

function fieldsOf(headers: Headers): HeaderField[] {
  const fields: HeaderField[] = [];
  headers.forEach((value, name) => fields.push([name, value]));
  return fields;
}

/** A message says that content follows by one of these; HTTP/2 may leave both out. */
export function statesContent({ headers }: Request): boolean {
  return headers.has("content-length") || headers.has("transfer-encoding");
}

/** Undefined where the message does not say. */
export function statedLength({ headers }: Request): number | undefined {
  const length = headers.get("content-length");
  return length === null || !/^\d{1,15}$/.test(length) ? undefined : Number(length);
}

/**
 * True for a request whose client waits for 101 (RFC 9110 section 7.8). Workers do not see Connection: there Upgrade is all that is
 * left to tell.
 */
export function asksToUpgrade({ headers }: Request): boolean {
  if (!headers.has("upgrade")) return false;
  const connection = headers.get("connection");
  if (connection === null) return "WebSocketPair" in globalThis;
  return connection.split(",").some((option) => option.trim().toLowerCase() === "upgrade");
}
