/** From what a test writes to what goes over the wire. */
import { createHash } from "node:crypto";
import type { ClientCertificate, HeaderField, TlsFacts } from "../index.js";
import type { Carrier, ResolvedAuthenticator, ResolvedPolicy } from "../model/resolved.js";
import type { Moment } from "./credentials.js";
import type { KnownPerson } from "./people.js";
import type { ProofTarget } from "./proofs.js";
import type { RequestDefaults, TestRequest, TestTls } from "./policy-test.gen.js";

/** A request as it is sent. */
export interface SentRequest {
  readonly method: string;
  readonly target: string;
  /** Credentials are throwaway ones. */
  readonly headers: readonly HeaderField[];
  readonly content: Uint8Array | undefined;
  readonly https: boolean;
  /** Undefined: the socket is not TLS. */
  readonly tls: TlsFacts | undefined;
  readonly ip: string;
  readonly httpVersion: "1.0" | "1.1";
  readonly upgrade: boolean;
  /** Who calls; undefined: the request is anonymous. */
  readonly person: string | undefined;
}

const DEFAULT_PEER = "192.0.2.1";

export function requestOf(written: string | TestRequest): TestRequest {
  if (typeof written !== "string") return written;
  const [method = "", target = ""] = written.split(" ");
  return { method, target };
}

export function sentRequest(
  request: TestRequest,
  defaults: RequestDefaults,
  person: KnownPerson | undefined,
  moment: Moment,
  policy: ResolvedPolicy,
): SentRequest {
  const { method = "GET", https = defaults.https ?? true, ip = defaults.ip ?? DEFAULT_PEER } = request;
  const headers = fieldsOf({ ...defaults.headers, ...request.headers });
  const has = (name: string): boolean => headers.some(([field]) => field.toLowerCase() === name);
  if (!has("host")) headers.unshift(["Host", request.host ?? defaults.host ?? hostOf(policy)]);
  const host = headers.find(([field]) => field.toLowerCase() === "host")?.[1] ?? "";
  const [path = ""] = request.target.split("?");
  const sent = credentialsOf(person, moment, { method, uri: `${https ? "https" : "http"}://${host}${path}` });
  headers.push(...sent.headers);
  const cookies = [...Object.entries(request.cookies ?? {}), ...sent.cookies].map((pair) => pair.join("="));
  if (cookies.length > 0) headers.push(["Cookie", cookies.join("; ")]);
  const content = contentOf(request);
  if ("body" in request && !has("content-type")) headers.push(["Content-Type", "application/json"]);
  if (content !== undefined && !has("content-length") && !has("transfer-encoding"))
    headers.push(["Content-Length", String(content.length)]);
  const target = withQuery(request.target, [...parametersOf(request.query ?? {}), ...sent.query]);
  // Last: a signature may be over all of it.
  for (const { sign } of person?.credentials ?? [])
    headers.push(...(sign?.({ method, target, headers, content, https }, moment) ?? []));
  return {
    method,
    target,
    headers,
    content,
    https,
    tls: https ? tlsOf(request.tls ?? {}, moment.now, certificateOf(person, moment)) : undefined,
    ip,
    httpVersion: request.httpVersion ?? "1.1",
    upgrade: request.upgrade === true,
    person: person?.name,
  };
}

const MONTH_MS = 30 * 86_400_000;

/** What the request itself writes of a certificate goes before the person's: so a token can be shown with another's. */
function tlsOf(
  { protocol = "TLSv1.3", cipher = "TLS_AES_128_GCM_SHA256", clientCertificate }: TestTls,
  now: number,
  own: ClientCertificate | undefined,
): TlsFacts {
  if (clientCertificate === undefined)
    return { protocol, cipher, ...(own === undefined ? {} : { clientCertificate: own }) };
  const { subject, subjectAltNames = [], validFrom, validTo } = clientCertificate;
  const fingerprint256 =
    clientCertificate.fingerprint256 ?? createHash("sha256").update(subject).digest("hex");
  const from = validFrom === undefined ? now - MONTH_MS : Date.parse(validFrom);
  const to = validTo === undefined ? now + MONTH_MS : Date.parse(validTo);
  return {
    protocol,
    cipher,
    clientCertificate: { subject, subjectAltNames, fingerprint256, validFrom: from, validTo: to },
  };
}

/** They are one and the same; where a credential says when it ends, that holds. */
function certificateOf(person: KnownPerson | undefined, moment: Moment): ClientCertificate | undefined {
  const shown = (person?.credentials ?? []).flatMap(({ certificate }) => certificate?.(moment) ?? []);
  return shown.sort((a, b) => a.validTo - b.validTo)[0];
}

/** One that the policy serves. */
function hostOf({ document }: ResolvedPolicy): string {
  return (document.transport?.hosts?.[0] ?? "api.test").replace(/^\*/u, "api");
}

export function fieldsOf(headers: Readonly<Record<string, string | readonly string[]>>): HeaderField[] {
  return parametersOf(headers).map(([name, value]) => [name, value]);
}

function parametersOf(
  values: Readonly<Record<string, string | readonly string[]>>,
): (readonly [string, string])[] {
  return Object.entries(values).flatMap(([name, value]) =>
    typeof value === "string" ? [[name, value] as const] : value.map((one) => [name, one] as const),
  );
}

function withQuery(target: string, parameters: readonly (readonly [string, string])[]): string {
  if (parameters.length === 0) return target;
  const query = parameters.map((pair) => pair.map(encodeURIComponent).join("=")).join("&");
  return `${target}${target.includes("?") ? "&" : "?"}${query}`;
}

interface Placed {
  readonly headers: readonly HeaderField[];
  readonly cookies: readonly (readonly [string, string])[];
  readonly query: readonly (readonly [string, string])[];
}

function credentialsOf(person: KnownPerson | undefined, moment: Moment, target: ProofTarget): Placed {
  const headers: HeaderField[] = [];
  const cookies: [string, string][] = [];
  const query: [string, string][] = [];
  for (const { authenticator, text, sign, proof } of person?.credentials ?? []) {
    const { carrier, settings } = authenticator;
    if (sign !== undefined || carrier.in === "tls") continue;
    const value = text(moment);
    if (proof !== undefined) headers.push(["DPoP", proof(value, target, moment)]);
    if (carrier.in === "cookie") cookies.push([carrier.name, value]);
    else if (carrier.in === "query") query.push([carrier.name, value]);
    else headers.push([nameOf(settings), withScheme(value, carrier, settings)]);
  }
  return { headers, cookies, query };
}

type Settings = ResolvedAuthenticator["settings"];

function nameOf(settings: Settings): string {
  return "name" in settings && settings.name !== undefined ? settings.name : "Authorization";
}

function withScheme(value: string, { scheme }: Carrier, settings: Settings): string {
  if (scheme === undefined) return value;
  const written = "scheme" in settings ? settings.scheme : undefined;
  return `${written ?? SCHEMES.get(scheme) ?? "Bearer"} ${value}`;
}

const SCHEMES: ReadonlyMap<string, string> = new Map([
  ["basic", "Basic"],
  ["dpop", "DPoP"],
]);

function contentOf(request: TestRequest): Uint8Array | undefined {
  if ("body" in request) return Buffer.from(JSON.stringify(request.body) ?? "");
  if (request.text !== undefined) return Buffer.from(request.text);
  return request.base64 === undefined ? undefined : Buffer.from(request.base64, "base64");
}
