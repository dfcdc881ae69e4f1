/** Tokens as an attacker would make them, and good ones with one thing wrong. */
import { createHmac, createPublicKey, type KeyObject } from "node:crypto";
import type { JwtSettings, ResolvedAuthenticator } from "@gatehouse/core/analysis";
import type { TestPerson } from "@gatehouse/core/testing";
import { seconds } from "../../lib/seconds.js";
import type { Sendable } from "../carried.js";
import type { Base, Ground, RouteGround } from "../ground.js";
import { withHeaders, type Question } from "../question.js";

import { inputOf, publicTexts, readToken, signed, strangersKey, type Token } from "../tokens.js";
import { presented } from "./callers.js";

interface Target {
  readonly one: RouteGround;
  readonly base: Base;
  readonly authenticator: ResolvedAuthenticator;
  readonly settings: JwtSettings;
}

/** Every fault on one route of each authenticator, the gravest on all: what verifies tokens may differ from route to route. */
export function* tokens(ground: Ground): Iterable<Question | Promise<readonly Question[]>> {
  const seen = new Set<string>();
  for (const target of targetsOf(ground)) {
    const first = !seen.has(target.authenticator.name);
    seen.add(target.authenticator.name);
    yield forgeries(target, ground, first);
    yield* wrong(target, first);
  }
}

function* targetsOf({ routes }: Ground): Iterable<Target> {
  // What is read changes nothing: such routes first.
  const inOrder = routes.toSorted((a, b) => Number(isUnsafe(a)) - Number(isUnsafe(b)));
  for (const one of inOrder) {
    for (const authenticator of new Set(one.route.authenticate.anyOf.flat())) {
      const { settings, name } = authenticator;
      const base = one.bases.find(({ by }) => by?.person.authenticator === name && by.holder === undefined);
      if (settings.type === "jwt" && base !== undefined) yield { one, base, authenticator, settings };
    }
  }
}

function isUnsafe({ route }: RouteGround): boolean {
  return !route.methods.includes("GET");
}

/** None of these needs anybody's key: nobody has signed them who may. */
async function forgeries(
  { one, base, authenticator, settings }: Target,
  ground: Ground,
  all: boolean,
): Promise<readonly Question[]> {
  const { judge, keyring, complete } = ground;
  const [result] = await judge.expect({ person: base.by?.person, request: complete(base.request) });
  const token = result === undefined ? undefined : tokenIn(result.request, authenticator);
  if (token === undefined) return [];
  const kid = keyring.keyId(authenticator.name);
  // Nothing but the token is wrong: a server that asks for the proof alone is found too.
  const cnf = keyring.confirmation(authenticator);
  const prove = (request: Sendable): Sendable => keyring.prover.proved(request, authenticator, {}, false);
  const named: Token = {
    claims: { ...token.claims, ...(cnf === undefined ? {} : { cnf }) },
    header: { ...token.header, ...(kid === undefined ? {} : { kid }) },
  };
  const [alg = "ES256"] = settings.algorithms;
  const stranger = { ...strangersKey(alg), kid };
  const forged: [string, string][] = [
    ["a token without a signature (`alg` of `none`)", `${inputOf(unsigned(named, "none"))}.`],
    ["a token under a key that nobody was told of", signed(named, stranger)],
  ];
  if (all) {
    forged.push(
      ["a token without a signature (`alg` of `NoNe`)", `${inputOf(unsigned(named, "NoNe"))}.`],
      ["a token whose signature was cut off", signed(named, stranger).replace(/[^.]*$/u, "")],
      ["a token that brings its own key (`jwk`)", embedded(named, stranger.key)],
      ["a token with an extension that nobody knows (`crit`)", signed(critical(named), stranger)],
      ["a token under the secret `secret`", hmac(named, "HS256", "secret")],
      [
        "a token under an empty secret, whose `kid` is a path",
        hmac(withKid(named, "../../../../dev/null"), "HS256", ""),
      ],
    );
    const key = keyring.publicKey(authenticator.name);
    for (const text of key === undefined ? [] : publicTexts(key))
      forged.push(["a token under the public key as a shared secret (HS256)", hmac(named, "HS256", text)]);
  }
  return forged.flatMap(([about, text]): Question[] => {
    const request = presented(base.request, authenticator, text);
    if (request === undefined) return [];
    const question = { area: "tokens", about, route: one.route.key, by: undefined } as const;
    const proof = result?.request.headers.find(([name]) => name === "DPoP")?.[1];
    const certificate = keyring.showsCertificate(base.by?.person ?? {})
      ? ({ certificate: "own" } as const)
      : {};
    if (proof === undefined) return [{ ...question, ...certificate, request }];
    return [{ ...question, request: withHeaders(request, { DPoP: proof }), spoil: { request: prove } }];
  });
}

function tokenIn(
  { headers, target }: { readonly headers: readonly (readonly [string, string])[]; readonly target: string },
  { carrier }: ResolvedAuthenticator,
): Token | undefined {
  const text = [target, ...headers.map(([, value]) => value)].join(" ");
  if (carrier.in === "tls") return undefined;
  const [found = ""] = /[\w-]{8,}\.[\w-]{8,}\.[\w-]*/u.exec(text) ?? [];
  return readToken(found);
}

function unsigned({ header, claims }: Token, alg: string): Token {
  return { header: { ...header, alg }, claims };
}

function withKid({ header, claims }: Token, kid: string): Token {
  return { header: { ...header, kid }, claims };
}

function critical({ header, claims }: Token): Token {
  return { header: { ...header, crit: ["urn:example:unknown"], "urn:example:unknown": true }, claims };
}

function hmac(token: Token, alg: string, secret: string): string {
  const input = inputOf(unsigned(token, alg));
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}

function embedded(token: Token, key: KeyObject | Uint8Array): string {
  const alg = String(token.header["alg"]);
  if (key instanceof Uint8Array) return signed(token, { alg, kid: undefined, key });
  const jwk = createPublicKey(key).export({ format: "jwk" });
  return signed({ header: { ...token.header, jwk }, claims: token.claims }, { alg, kid: undefined, key });
}

const LONG_AGO = -400 * 86_400;

/** Good signatures, and one thing wrong: only a key that the server knows shows whether the rest is looked at. */
function* wrong({ one, base, settings }: Target, all: boolean): Iterable<Question> {
  const { by, request } = base;
  if (by === undefined) return;
  const question = (about: string, change: Partial<TestPerson>): Question => ({
    area: "tokens",
    about,
    route: one.route.key,
    by: { ...by, name: about, genuine: false, person: { ...by.person, ...change } },
    request,
  });
  const claims = (about: string, changed: Readonly<Record<string, unknown>>): Question =>
    question(about, { claims: { ...by.person.claims, ...changed } });
  yield claims("a token that has expired", { iat: { $now: LONG_AGO - 600 }, exp: { $now: LONG_AGO } });
  yield* audiences(settings, claims);
  if (!all) return;
  yield claims("a token that expired a minute past the tolerance", {
    iat: { $now: -7200 },
    exp: { $now: -61 - seconds(settings.clockTolerance) },
  });
  yield claims("a token without `exp`", { exp: null });
  yield claims("a token that is not good yet", { nbf: { $now: 86_400 } });
  yield claims("a token of the future", { iat: { $now: 86_400 }, exp: { $now: 90_000 } });
  yield claims("a token without `sub`", { sub: null });
  yield claims("a token of another issuer", { iss: "https://elsewhere.invalid/" });
  yield claims("a token without `iss`", { iss: null });
  yield question("a token of type `JWT`", { header: { ...by.person.header, typ: "JWT" } });
  yield question("a token of type `dpop+jwt`", { header: { ...by.person.header, typ: "dpop+jwt" } });
  yield question("a token with an unknown `crit`", {
    header: { ...by.person.header, crit: ["urn:example:unknown"], "urn:example:unknown": true },
  });
}

function* audiences(
  { audience }: JwtSettings,
  claims: (about: string, changed: Readonly<Record<string, unknown>>) => Question,
): Iterable<Question> {
  const claim = typeof audience === "object" && "claim" in audience ? audience.claim : "aud";
  yield claims("a token for another audience", { [claim]: "https://elsewhere.invalid/" });
  yield claims("a token for nobody in particular", { [claim]: null });
}
