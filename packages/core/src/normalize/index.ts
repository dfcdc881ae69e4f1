/**
 * From what a socket gives to one reading of the request, or a refusal. Everything behind this decides on that reading alone, so
 * whatever two readers could take in two ways ends here.
 */
import type { Refusal } from "../model/outcome.js";
import type { NormalizedRequest, RawRequest } from "../model/request.js";
import type { ResolvedPolicy } from "../model/resolved.js";
import { ClientReader } from "./client.js";
import { tlsReader } from "./client-certificate.js";
import type { HeaderBounds } from "./fields.js";
import { FieldReader } from "./fields.js";
import { FramingReader } from "./framing.js";
import { HostReader } from "./host-reader.js";
import { FIELD, FieldNames, isToken } from "./names.js";
import { isRefusal, refusal } from "./refusals.js";
import { TargetReader } from "./target.js";
import { familyOf } from "./trust.js";

export { isRefusal } from "./refusals.js";
export { readClientCertificate } from "./client-certificate.js";

export interface NormalizeOptions extends Partial<HeaderBounds> {
  readonly maxTargetLength?: number;
  /** Lower-case hex; needed where `trust` names a `clientCert`. */
  readonly sha256Hex?: (data: Uint8Array) => string;
}

export type Normalizer = (raw: RawRequest) => NormalizedRequest | Refusal;

const DEFAULTS = { maxHeaderBytes: 16_384, maxHeaderCount: 100, maxTargetLength: 8192 };
const MAX_METHOD_LENGTH = 64;

const BAD_METHOD = refusal("malformed-request", "the method is no token");
const PSEUDO_DIFFERS = refusal("malformed-request", "a pseudo-header field differs from the request line");
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
  const fields = new FieldReader(new FieldNames(singleFields(policy)), bounds);
  const target = new TargetReader(bounds.maxTargetLength);
  const client = new ClientReader(policy.document.transport?.trust);
  const tlsOf = tlsReader(
    policy.document.transport?.trust?.clientCert?.toLowerCase(),
    options.sha256Hex ?? missing,
  );
  const framing = new FramingReader();
  const hosts = new HostReader();

  return (raw) => {
    const { method } = raw;
    const http2 = isHttp2(raw.httpVersion);
    if (method !== "GET" && !KNOWN_METHODS.has(method) && !isMethod(method)) return BAD_METHOD;
    const problem = target.read(method, raw.target) ?? fields.read(raw.headers, http2);
    if (problem !== undefined) return problem;
    const { headers, seen } = fields;
    if (http2 && differs(fields, raw)) return PSEUDO_DIFFERS;
    if ((seen & UNUSUAL) !== 0) {
      const unusual = unusualProblem(method, seen, headers);
      if (unusual !== undefined) return unusual;
    }
    client.read(raw, headers);
    const host = hosts.read(raw, fields, target.authority, client);
    if (typeof host !== "string") return host;
    const misframed = framing.read(raw, headers, seen);
    if (misframed !== undefined) return misframed;
    const tls = tlsOf(raw, headers, client.fromProxy);
    if (tls !== undefined && isRefusal(tls)) return tls;
    return {
      method,
      scheme: client.scheme,
      host,
      path: target.path,
      segments: target.segments,
      queryText: target.queryText,
      headers,
      clientIp: client.client?.ip,
      clientKey: client.client?.key,
      encrypted: raw.encrypted === true,
      upgrade: framing.upgrade,
      tls,
      contentLength: framing.contentLength,
      hasContent: framing.hasContent || raw.hasContent === true,
    };
  };
}

/** @throws Error when a document has a `clientCert` and nothing was handed over that could hash it */
function missing(): never {
  throw new Error("`sha256Hex` is missing");
}

/** Fields that this policy reads one value from: two API keys are two callers. */
function singleFields(policy: ResolvedPolicy): string[] {
  const names: string[] = [];
  for (const { carrier } of policy.authenticators.values()) {
    if (carrier.in === "header") names.push(carrier.name);
  }
  const { trust } = policy.document.transport ?? {};
  if (trust?.clientCert !== undefined) names.push(trust.clientCert.toLowerCase());
  const trusted = trust?.header?.toLowerCase();
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
