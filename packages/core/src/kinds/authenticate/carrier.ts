/** Where a credential sits, and what stands there. Only what an authenticator of the route names is ever looked at. */
import type { Carrier } from "../../model/resolved.js";
import type { RequestState } from "../../model/state.js";
import { bad, type Bad } from "./judgement.js";

/** Undefined: not presented. A carrier that is there, even empty, is a presented credential. */
export type ReadCarrier = (state: RequestState) => string | Bad | undefined;

const TWICE = bad("the query parameter of the credential is given more than once");
/** A sibling domain can set one beside the caller's own (cookie tossing), and which of them the caller meant nobody can tell. */
const TWO_COOKIES = bad("the cookie of the credential is given more than once");
const UNREADABLE = bad("the query cannot be read, so nobody knows whether it holds a credential");

/** One reader for all authenticators that share the carrier: scheme apart, they see the same text. */
export function carrierKey(carrier: Carrier): string {
  return `${carrier.in}:${carrier.name}`;
}

export function carrierReader(carrier: Carrier): ReadCarrier {
  const { name } = carrier;
  switch (carrier.in) {
    case "header":
      return (state) => state.request.headers.get(name);
    case "cookie":
      return ({ sentCookies }) =>
        sentCookies.repeated.has(name) ? TWO_COOKIES : sentCookies.values.get(name);
    case "query":
      return (state) => {
        const parameters = state.queryParameters;
        if (parameters === undefined) return UNREADABLE;
        const value = parameters.get(name);
        return typeof value === "object" ? TWICE : value;
      };
    case "tls":
      // What stands for it; who needs more of it asks the request.
      return ({ request }) => request.tls?.clientCertificate?.fingerprint256;
  }
}

/**
 * Where what follows `scheme` (lower case) and exactly one blank begins; below 0 for any other scheme. Schemes are compared without
 * regard to case (RFC 9110 section 11.1). The scheme alone is an empty credential.
 */
export function afterScheme(value: string, scheme: string): number {
  const { length } = scheme;
  if (value.length < length) return -1;
  // Letter by letter: a lower-case copy would be made for every request.
  for (let index = 0; index < length; index += 1) {
    if (lowerCase(value.charCodeAt(index)) !== scheme.charCodeAt(index)) return -1;
  }
  if (value.length === length) return length;
  return value.charCodeAt(length) === 0x20 ? length + 1 : -1;
}

function lowerCase(code: number): number {
  return code >= 0x41 && code <= 0x5a ? code + 0x20 : code;
}
