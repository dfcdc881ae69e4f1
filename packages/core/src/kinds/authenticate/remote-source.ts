/** Where an issuer's key set is: at a URL of the policy, or where the issuer's own metadata says (OpenID Discovery 1.0, RFC 8414). */
import { isLoopbackUrl, namedUrl, outwardUrlProblem } from "../../lib/outward-url.js";
import { wellKnownUrl } from "../../lib/well-known.js";
import type { JwtSettings } from "../../model/policy.js";
import type { OutwardAnswer, OutwardCall, OutwardFailure } from "../../ports/outward.js";
import { fetchDocument } from "./remote-json.js";
import { isList } from "./strict-json.js";

export type RemoteKeySettings =
  | Extract<JwtSettings["keys"], { readonly discovery: unknown }>
  | UrlKeySettings;

type JwksSettings = Extract<JwtSettings["keys"], { readonly jwks: unknown }>;

export interface UrlKeySettings extends JwksSettings {
  readonly jwks: string;
}

/** A URL has a scheme; a path of a file has none, or a drive's single letter. */
const URL_LIKE = /^[A-Za-z][A-Za-z0-9+.-]+:\/\//u;

export function isRemote(keys: JwtSettings["keys"]): keys is RemoteKeySettings {
  return "discovery" in keys || ("jwks" in keys && typeof keys.jwks === "string" && URL_LIKE.test(keys.jwks));
}

/** Keys in a set at most: a provider has a handful, and each is prepared. */
const MAX_KEYS = 100;

export interface KeySet {
  readonly kind: "set";
  readonly keys: readonly unknown[];
  readonly answer: OutwardAnswer;
}

export type FetchKeySet = () => Promise<KeySet | OutwardFailure>;

export function keySetSource(keys: RemoteKeySettings, issuer: string, call: OutwardCall): FetchKeySet {
  if ("jwks" in keys) return () => fetchSet(keys.jwks, call);
  const metadata = metadataUrl(issuer, keys.discovery);
  return async () => {
    const found = await discover(metadata, issuer, call);
    return typeof found === "string" ? fetchSet(found, call) : found;
  };
}

/** OpenID appends the well-known part (Discovery 1.0 section 4.1); RFC 8414 section 3.1 puts it in front of the issuer's path. */
export function metadataUrl(issuer: string, kind: "openid" | "oauth"): string {
  if (kind === "oauth") return wellKnownUrl(issuer, "oauth-authorization-server");
  const { origin, pathname } = new URL(issuer);
  return `${origin}${pathname.replace(/\/$/u, "")}/.well-known/openid-configuration`;
}

/** The URL of the key set, or why there is none. */
async function discover(url: string, issuer: string, call: OutwardCall): Promise<string | OutwardFailure> {
  const metadata = await fetchDocument(call, { url, headers: { Accept: "application/json" } });
  if (metadata.kind === "failure") return metadata;
  const failure = (problem: string): OutwardFailure => ({
    kind: "failure",
    reason: `${namedUrl(url)} ${problem}`,
  });
  // Exactly, or keys of one tenant would verify the tokens of another (RFC 8414 section 3.3).
  if (metadata.value["issuer"] !== issuer) return failure("is the metadata of another issuer");
  const found = metadata.value["jwks_uri"];
  if (typeof found !== "string") return failure("names no `jwks_uri`");
  const problem = outwardUrlProblem(found);
  if (problem !== undefined) return failure(`names a \`jwks_uri\` that ${problem}`);
  // A provider elsewhere has no business with what only this machine can reach.
  if (isLoopbackUrl(found) && !isLoopbackUrl(url)) return failure("names a `jwks_uri` on this machine");
  return found;
}

async function fetchSet(url: string, call: OutwardCall): Promise<KeySet | OutwardFailure> {
  const headers = { Accept: "application/jwk-set+json, application/json" };
  const document = await fetchDocument(call, { url, headers });
  if (document.kind === "failure") return document;
  const { keys } = document.value;
  const failure = (problem: string): OutwardFailure => ({
    kind: "failure",
    reason: `${namedUrl(url)} ${problem}`,
  });
  if (!isList(keys)) return failure("holds no JWK Set");
  if (keys.length > MAX_KEYS) return failure(`holds more than ${MAX_KEYS} keys`);
  return { kind: "set", keys, answer: document.answer };
}
