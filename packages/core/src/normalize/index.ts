/**
 * From what a socket gives to one reading of the request, or a refusal. Everything behind this decides on that reading alone, so
 * whatever two readers could take in two ways ends here.
 */
import type { Refusal } from "../model/outcome.js";
import type { NormalizedRequest, RawRequest } from "../model/request.js";
import type { ResolvedPolicy } from "../model/resolved.js";
import { ClientReader } from "./client.js";
import type { HeaderBounds } from "./fields.js";
import { FieldReader } from "./fields.js";
import * as framing from "./framing.js";
import type { Authority } from "./host.js";
import { formatAuthority, parseAuthority, sameAuthority } from "./host.js";
import { memoized } from "./memo.js";
import { compileNames, FIELD, isToken } from "./names.js";
import { refusal } from "./refusals.js";
import { TargetReader } from "./target.js";
import { familyOf } from "./trust.js";

export { parseCookies } from "./cookies.js";
export { parseQuery } from "./query.js";
export type { QueryBounds } from "./query.js";
export { isRefusal } from "./refusals.js";

export interface NormalizeOptions extends Partial<HeaderBounds> {
  readonly maxTargetLength?: number;
}

export type Normalizer = (raw: RawRequest) => NormalizedRequest | Refusal;

const DEFAULTS = { maxHeaderBytes: 16_384, maxHeaderCount: 100, maxTargetLength: 8192 };
const MAX_HOSTS = 256;
const MAX_METHOD_LENGTH = 64;

const BAD_METHOD = refusal("malformed-request", "the method is no token");
const PSEUDO_DIFFERS = refusal("malformed-request", "a pseudo-header field differs from the request line");
const NO_HOST = refusal("ambiguous-host", "the request names no host");
const BAD_HOST = refusal("ambiguous-host", "the host is no host name");
const TWO_HOSTS = refusal("ambiguous-host", "`:authority` and Host differ");
const FOREIGN_TARGET = refusal("ambiguous-path", "the target's host differs from Host");
const OVERRIDE = refusal("method-override", "a header field asks for another method");
const EXPECTATION = refusal("expectation-failed", "Expect is not `100-continue`");
const EARLY = refusal("too-early", "an unsafe method came as early data");

/** Methods that change nothing by definition (RFC 9110 section 9.2.1). */
const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);
const KNOWN_METHODS: ReadonlySet<string> = new Set([...SAFE, "POST", "PUT", "PATCH", "DELETE"]);
const UNUSUAL = FIELD.methodOverride | FIELD.expect | FIELD.earlyData;

/** @param policy one that passed its checks */
export function compileNormalizer(policy: ResolvedPolicy, options: NormalizeOptions = {}): Normalizer {
  const bounds = { ...DEFAULTS, ...options };
  const fields = new FieldReader(compileNames(singleFields(policy)), bounds);
  const target = new TargetReader(bounds.maxTargetLength);
  const client = new ClientReader(policy.document.transport?.trust);
  const authority = memoized(MAX_HOSTS, (text) => parseAuthority(text) ?? null);

  return (raw) => {
    const { method } = raw;
    const http2 = isHttp2(raw.httpVersion);
    if (!KNOWN_METHODS.has(method) && !isMethod(method)) return BAD_METHOD;
    const problem = target.read(method, raw.target) ?? fields.read(raw.headers, http2);
    if (problem !== undefined) return problem;
    const { headers, seen } = fields;
    if (http2 && differs(fields, raw)) return PSEUDO_DIFFERS;
    if ((seen & UNUSUAL) !== 0) {
      const unusual = unusualProblem(method, seen, headers);
      if (unusual !== undefined) return unusual;
    }
    client.read(raw, headers);
    const { scheme } = client;
    const own = readHost(fields, raw, scheme, authority);
    if (own !== undefined && "kind" in own) return own;
    const host = client.host === undefined ? (own ?? target.authority) : authority(client.host);
    if (host === null) return BAD_HOST;
    if (
      own !== undefined &&
      target.authority !== undefined &&
      !sameAuthority(own, target.authority, scheme)
    ) {
      return FOREIGN_TARGET;
    }

    let contentLength: number | undefined;
    let hasContent = raw.hasContent === true;
    if ((seen & FIELD.contentLength) !== 0) {
      if ((seen & FIELD.transferEncoding) !== 0) return framing.LENGTH_AND_ENCODING;
      contentLength = framing.parseLength(headers.get("content-length") ?? "");
      if (contentLength < 0) return framing.BAD_LENGTH;
      hasContent = contentLength > 0;
    } else if ((seen & FIELD.transferEncoding) !== 0) {
      if (raw.httpVersion === "1.0") return framing.OLD_ENCODING;
      if (headers.get("transfer-encoding")?.toLowerCase() !== "chunked") return framing.BAD_ENCODING;
      hasContent = true;
    }
    let upgrade = raw.upgrade === true;
    if ((seen & FIELD.connection) !== 0) {
      const asked = framing.readConnection(headers.get("connection") ?? "");
      if (typeof asked !== "boolean") return asked;
      upgrade ||= asked && (seen & FIELD.upgrade) !== 0;
    }

    return {
      method,
      scheme,
      host: host === undefined ? "" : formatAuthority(host, scheme),
      path: target.path,
      segments: target.segments,
      queryText: target.queryText,
      headers,
      clientIp: client.client?.ip,
      clientKey: client.client?.key,
      encrypted: raw.encrypted === true,
      upgrade,
      tls: raw.tls,
      contentLength,
      hasContent,
    };
  };
}

/** Fields that this policy reads one value from: two API keys are two callers. */
function singleFields(policy: ResolvedPolicy): string[] {
  const names: string[] = [];
  for (const { carrier } of policy.authenticators.values()) {
    if (carrier.in === "header") names.push(carrier.name);
  }
  const trusted = policy.document.transport?.trust?.header?.toLowerCase();
  if (trusted !== undefined && familyOf(trusted) === "single") names.push(trusted);
  return names;
}

function isHttp2(version: string | undefined): boolean {
  return version !== undefined && (version.startsWith("2") || version.startsWith("3"));
}

function isMethod(method: string): boolean {
  return method.length <= MAX_METHOD_LENGTH && isToken(method);
}

function differs(fields: FieldReader, raw: RawRequest): boolean {
  const { pseudoMethod, pseudoPath } = fields;
  return (
    (pseudoMethod !== undefined && pseudoMethod !== raw.method) ||
    (pseudoPath !== undefined && pseudoPath !== raw.target)
  );
}

function unusualProblem(
  method: string,
  seen: number,
  headers: ReadonlyMap<string, string>,
): Refusal | undefined {
  if ((seen & FIELD.methodOverride) !== 0) return OVERRIDE;
  if ((seen & FIELD.expect) !== 0 && headers.get("expect")?.toLowerCase() !== "100-continue")
    return EXPECTATION;
  // Whatever its value: several or odd ones mean `1` (RFC 8470 section 5.1).
  return (seen & FIELD.earlyData) !== 0 && !SAFE.has(method) ? EARLY : undefined;
}

/** The request's own host. HTTP/2 names it in `:authority`; HTTP/1.0 may leave it out. */
function readHost(
  fields: FieldReader,
  raw: RawRequest,
  scheme: "http" | "https",
  authority: (text: string) => Authority | null,
): Authority | Refusal | undefined {
  const written = fields.headers.get("host");
  if (fields.authority === undefined) {
    if (written === undefined || written === "") return raw.httpVersion === "1.0" ? undefined : NO_HOST;
    return authority(written) ?? BAD_HOST;
  }
  const asked = authority(fields.authority);
  if (asked === null) return BAD_HOST;
  if (written === undefined) {
    fields.headers.set("host", fields.authority);
    return asked;
  }
  const host = authority(written);
  return host !== null && sameAuthority(host, asked, scheme) ? asked : TWO_HOSTS;
}
