/** Proofs of possession that are none: each is a good one, but for one thing. */
import { fieldOf, without, type Sendable } from "../carried.js";
import { inputOf, publicTexts, signed, type Members } from "../tokens.js";
import { createPublicKey } from "node:crypto";
import { publicJwk, type ProofKey } from "./prover.js";
import type { ProofDraft, Spoil } from "./spoil.js";

export interface DpopFault {
  readonly about: string;
  readonly spoil?: Spoil;
  readonly twice?: true;
  /** Asked on every route: what verifies tokens may differ from one to the next. */
  readonly grave?: true;
  /** A server may hide from its guard what is wrong. */
  readonly accept?: "refused";
}

const claims =
  (change: (claims: Members) => Members): NonNullable<Spoil["proof"]> =>
  ({ token, key }) => ({
    token: { header: token.header, claims: { ...token.claims, ...change(token.claims) } },
    key,
  });

const header =
  (change: (draft: ProofDraft) => Members): NonNullable<Spoil["proof"]> =>
  (draft) => ({
    token: { header: { ...draft.token.header, ...change(draft) }, claims: draft.token.claims },
    key: draft.key,
  });

const later = (iat: unknown, seconds: number): Members => ({ iat: Number(iat) + seconds });

const inAuthorization =
  (change: (value: string) => string) =>
  (request: Sendable): Sendable => ({
    ...request,
    headers: request.headers.map(([name, value]) => [
      name,
      name.toLowerCase() === "authorization" ? change(value) : value,
    ]),
  });

const asBearer = inAuthorization((value) => value.replace(/^dpop /iu, "Bearer "));

const OTHER_HASH = Buffer.alloc(32, 7).toString("base64url");

/** @param window seconds by which a proof may be out of time */
export function dpopFaults(window: number): readonly DpopFault[] {
  const far = window + 90;
  return [
    {
      about: "a token without a proof",
      spoil: { request: (request) => without(request, "dpop") },
      grave: true,
    },
    {
      about: "a token with a proof of another key",
      spoil: {
        proof: ({ token }, stranger) => ({
          token: { header: { ...token.header, jwk: publicJwk(stranger) }, claims: token.claims },
          key: stranger,
        }),
      },
      grave: true,
    },
    {
      about: "a token with a proof that another key signed",
      spoil: { proof: ({ token }, stranger) => ({ token, key: stranger }) },
      grave: true,
    },
    {
      about: "a proof for another method (`htm`)",
      spoil: { proof: claims(({ htm }) => ({ htm: htm === "POST" ? "GET" : "POST" })) },
      grave: true,
    },
    {
      about: "a proof for another host (`htu`)",
      spoil: {
        proof: claims(({ htu }) => ({ htu: String(htu).replace(/\/\/[^/]*/u, "//elsewhere.invalid") })),
      },
      grave: true,
    },
    {
      about: "a proof for another path (`htu`)",
      spoil: { proof: claims(({ htu }) => ({ htu: `${String(htu)}/elsewhere` })) },
      grave: true,
    },
    {
      about: "a proof of long ago (`iat`)",
      spoil: { proof: claims(({ iat }) => later(iat, -far)) },
      grave: true,
    },
    { about: "a proof of the future (`iat`)", spoil: { proof: claims(({ iat }) => later(iat, far)) } },
    { about: "a proof without `iat`", spoil: { proof: claims(() => ({ iat: undefined })) } },
    { about: "a proof for the second time (`jti`)", twice: true, grave: true },
    { about: "a proof without `jti`", spoil: { proof: claims(() => ({ jti: undefined })) } },
    { about: "a proof without `ath`", spoil: { proof: claims(() => ({ ath: undefined })) }, grave: true },
    {
      about: "a proof for another token (`ath`)",
      spoil: { proof: claims(() => ({ ath: OTHER_HASH })) },
      grave: true,
    },
    {
      about: "a proof without a signature (`alg` of `none`)",
      spoil: {
        proof: ({ token }) =>
          `${inputOf({ header: { ...token.header, alg: "none" }, claims: token.claims })}.`,
      },
    },
    {
      about: "a proof under the public key as a shared secret (HS256)",
      spoil: {
        proof: ({ token, key: { key } }) =>
          key instanceof Uint8Array
            ? ""
            : signed(token, {
                alg: "HS256",
                kid: undefined,
                key: Buffer.from(publicTexts(createPublicKey(key))[0] ?? ""),
              }),
      },
    },
    {
      about: "a proof that gives its private key away",
      spoil: { proof: header(({ key: { key } }) => ({ jwk: privateJwk(key) })) },
    },
    { about: "a proof of type `JWT`", spoil: { proof: header(() => ({ typ: "JWT" })) } },
    {
      about: "a proof with an extension that nobody knows (`crit`)",
      spoil: { proof: header(() => ({ crit: ["urn:example:unknown"], "urn:example:unknown": true })) },
    },
    {
      about: "two proofs",
      spoil: {
        request: (request) => ({
          ...request,
          headers: [...request.headers, ["DPoP", fieldOf(request, "dpop") ?? ""]],
        }),
      },
      accept: "refused",
    },
    { about: "a bound token as `Bearer`, with a proof", spoil: { request: asBearer }, grave: true },
    {
      about: "a bound token as `Bearer`",
      spoil: { request: (request) => without(asBearer(request), "dpop") },
      grave: true,
    },
  ];
}

function privateJwk(key: ProofKey): unknown {
  return key instanceof Uint8Array ? undefined : key.export({ format: "jwk" });
}

/** Of a policy that asks for nonces. */
export const NONCE_FAULTS = [
  {
    about: "a proof without the server's nonce",
    nonce: "none",
    spoil: { proof: claims(() => ({ nonce: undefined })) },
  },
  {
    about: "a proof with a nonce that is made up",
    nonce: "made up",
    spoil: { proof: claims(() => ({ nonce: Buffer.alloc(24, 1).toString("base64url") })) },
  },
] as const satisfies readonly (DpopFault & { readonly nonce: "none" | "made up" })[];
