/** The same requests over HTTP/2, as far as that protocol has words for them. */
import {
  connect as connectHttp2,
  constants,
  type ClientHttp2Session,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from "node:http2";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import type { CaseExpectation, CaseRequest } from "./case.js";
import { throwawayCertificate } from "./certificate.js";
import type { PreparedRequest } from "./prepare.js";
import { clientOptions, type WireAnswer } from "./sockets-wire.js";

/** Fields of one connection (RFC 9113 section 8.2.2). */
const OF_HTTP1: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
  "te",
]);

const PATIENCE_MS = 10_000;

/** What Node's client sends once or not at all. */
const ONCE: ReadonlySet<string> = new Set([
  "authorization",
  "content-type",
  "date",
  "from",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "max-forwards",
  "proxy-authorization",
  "range",
  "referer",
  "user-agent",
]);

/** Why a step has no form in HTTP/2; undefined where it has. */
export function whyNotOverHttp2(request: CaseRequest, expect: CaseExpectation): string | undefined {
  const { target, headers = [], httpVersion, upgrade } = request;
  if (httpVersion === "1.0") return "it is about HTTP/1.0";
  if (upgrade === true) return "HTTP/2 has no Upgrade";
  if (!target.startsWith("/") && target !== "*") return "HTTP/2 has a path, and no host in it";
  const answered = Object.keys(expect.headers ?? {}).find((name) => isOfHttp1(name));
  return (
    whyNotHost(request) ??
    whyNotFields(headers, request) ??
    (answered === undefined ? undefined : `\`${answered}\` is HTTP/1.1's`)
  );
}

function whyNotHost({ headers = [], bare }: CaseRequest): string | undefined {
  const hosts = headers.filter(([name]) => name.toLowerCase() === "host");
  if (hosts.length > 1 || (hosts.length === 0 && bare === true)) return "HTTP/2 has one authority";
  return hosts.some(([, host]) => typeof host === "string" && host.includes("/"))
    ? "the protocol's own parser refuses the authority"
    : undefined;
}

function whyNotFields(
  headers: NonNullable<CaseRequest["headers"]>,
  { token, tokenCookie }: CaseRequest,
): string | undefined {
  const names = headers.map(([name]) => name.toLowerCase());
  const own = names.find((name) => isOfHttp1(name) || name === "content-length" || name === "expect");
  if (own !== undefined) return `\`${own}\` is HTTP/1.1's`;
  if (token !== undefined && tokenCookie === undefined) names.push("authorization");
  const repeated = names.find((name, index) => names.indexOf(name) < index && ONCE.has(name));
  return repeated === undefined ? undefined : `the client does not repeat \`${repeated}\``;
}

function isOfHttp1(name: string): boolean {
  return OF_HTTP1.has(name.toLowerCase());
}

/** @returns undefined when the stream ends without a whole answer */
export async function exchangeOverHttp2(
  port: number,
  request: PreparedRequest,
): Promise<WireAnswer | undefined> {
  const session = open(port, request);
  try {
    return await answerOn(session, request);
  } finally {
    session.destroy();
  }
}

function open(port: number, request: PreparedRequest): ClientHttp2Session {
  const { https, ip } = request;
  const to = { port, host: "127.0.0.1", localAddress: ip };
  return connectHttp2(`${https ? "https" : "http"}://127.0.0.1:${port}`, {
    createConnection: () =>
      https
        ? connectTls({
            ...to,
            ...clientOptions(request),
            ca: throwawayCertificate().cert,
            servername: "a.test",
            ALPNProtocols: ["h2"],
          })
        : connect(to),
  });
}

function answerOn(session: ClientHttp2Session, request: PreparedRequest): Promise<WireAnswer | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => done(undefined), PATIENCE_MS);
    const done = (answer: WireAnswer | undefined): void => {
      clearTimeout(timer);
      resolve(answer);
    };
    session.once("error", () => done(undefined));
    const stream = session.request(fieldsOf(request), { endStream: request.body === undefined });
    const parts: Buffer[] = [];
    let head: readonly [number, WireAnswer["headers"]] | undefined;
    stream.on("response", (headers, _flags) => (head = [headers[":status"] ?? 0, pairsOf(headers)]));
    stream.on("data", (bytes: Buffer) => void parts.push(bytes)).on("error", () => undefined);
    stream.once("close", () => {
      const [status = 0, headers = []] = head ?? [];
      const whole = head !== undefined && stream.rstCode === constants.NGHTTP2_NO_ERROR;
      done(whole ? { status, headers, body: Buffer.concat(parts), rest: Buffer.alloc(0) } : undefined);
    });
    if (request.body !== undefined) stream.end(request.body);
  });
}

/** Host is the authority's other name; what repeats goes as a list. */
function fieldsOf({ method, target, headers }: PreparedRequest): OutgoingHttpHeaders {
  const fields: Record<string, string | string[]> = { ":method": method, ":path": target };
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    const known = lower === "host" ? undefined : fields[lower];
    fields[lower === "host" ? ":authority" : lower] =
      known === undefined ? value : [...(Array.isArray(known) ? known : [known]), value];
  }
  return fields;
}

function pairsOf(headers: IncomingHttpHeaders): WireAnswer["headers"] {
  return Object.entries(headers).flatMap(([name, value]) => {
    if (name.startsWith(":") || value === undefined) return [];
    return (Array.isArray(value) ? value : [value]).map((one): readonly [string, string] => [name, one]);
  });
}
