/**
 * HTTP Message Signatures (RFC 9421) under a key that was handed over. The kit's signature is the model: what it covers, and what it
 * says of itself, is signed anew.
 */
import { randomUUID } from "node:crypto";
import { fieldOf, withField, type Sendable } from "../carried.js";
import { signatureOf, type SigningKey } from "../tokens.js";

/** A signature before it is made. */
export interface Draft {
  readonly request: Sendable;
  /** Names as they are covered, without quotes. */
  readonly components: readonly string[];
  /** As they are written, in their order. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

/** By the names of RFC 9421 section 6.2. */
export const JWS_NAMES: Readonly<Record<string, string>> = {
  "rsa-pss-sha512": "PS512",
  "rsa-v1_5-sha256": "RS256",
  "ecdsa-p256-sha256": "ES256",
  "ecdsa-p384-sha384": "ES384",
  ed25519: "EdDSA",
  "hmac-sha256": "HS256",
};

const INPUT = /^([^=]+)=\(([^)]*)\)(.*)$/u;

export interface Signing {
  readonly key: SigningKey;
  /** Whether the server takes requests for such, by its socket or a proxy's word. */
  readonly https: boolean;
  /** What the policy wants to be covered, besides what the kit covers. */
  readonly components: readonly string[];
}

export function resigned(
  request: Sendable,
  { key, https, components }: Signing,
  change: (draft: Draft) => Draft = (draft) => draft,
): Sendable {
  const [, label = "", list = "", rest = ""] = INPUT.exec(fieldOf(request, "signature-input") ?? "") ?? [];
  if (label === "") return request;
  const covered = [...list.matchAll(/"([^"]*)"/gu)].map(([, name = ""]) => name);
  const model = {
    request,
    components: withDerived(covered, components),
    parameters: once(parametersIn(rest)),
  };
  const draft = change(model);
  const said = [
    `(${draft.components.map((name) => `"${name}"`).join(" ")})`,
    ...draft.parameters.map((one) => one.join("=")),
  ].join(";");
  const lines = draft.components.map((name) => `"${name}": ${valueOf(name, draft.request, https)}`);
  const base = [...lines, `"@signature-params": ${said}`].join("\n");
  const signature = signatureOf(key.alg, key.key, base).toString("base64");
  const named = withField(draft.request, "signature-input", `${label}=${said}`);
  return withField(named, "signature", `${label}=:${signature}:`);
}

function parametersIn(text: string): Draft["parameters"] {
  return [...text.matchAll(/;([a-z]+)=("[^"]*"|[^;]*)/gu)].map(([, name = "", value = ""]) => [name, value]);
}

/** Two like requests in one second have one signature, which is good once. */
function once(parameters: Draft["parameters"]): Draft["parameters"] {
  const rest = parameters.filter(([name]) => name !== "nonce");
  return [...rest, ["nonce", `"${randomUUID()}"`]];
}

/** What is made of the request's own target, and of nothing else. */
const DERIVED = ["@authority", "@path", "@query", "@scheme", "@request-target"];

function withDerived(covered: readonly string[], wanted: readonly string[]): readonly string[] {
  return [...covered, ...DERIVED.filter((name) => wanted.includes(name) && !covered.includes(name))];
}

function valueOf(name: string, request: Sendable, https: boolean): string {
  const { method, target } = request;
  const [path = "", ...query] = target.split("?");
  const scheme = https ? "https" : "http";
  const host = (fieldOf(request, "host") ?? "").toLowerCase();
  switch (name) {
    case "@method":
      return method;
    case "@target-uri":
      return `${scheme}://${host}${target}`;
    case "@authority":
      return host;
    case "@path":
      return path;
    case "@query":
      return `?${query.join("?")}`;
    case "@scheme":
      return scheme;
    case "@request-target":
      return target;
    default:
      return request.headers
        .filter(([field]) => field.toLowerCase() === name)
        .map(([, value]) => value)
        .join(", ");
  }
}
