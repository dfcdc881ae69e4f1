/** People as tests write them, good and spoilt. */
import { parseDuration } from "../../lib/duration.js";
import type { AuthorizeEntry } from "../../model/policy.js";
import type { ResolvedAuthenticator } from "../../model/resolved.js";
import { webhookForm } from "../../model/webhook-form.js";
import type { TestCredential, TestPerson } from "../policy-test.gen.js";
import { stepsOf } from "./bringable.js";
import { isRecord } from "./plain-schema.js";
import type { Caller, Rights, Way } from "./ways.js";

export function claimsOf(entries: readonly AuthorizeEntry[]): Readonly<Record<string, unknown>> {
  const claims: Record<string, unknown> = {};
  for (const { stepUp } of entries) if (stepUp?.acr !== undefined) claims["acr"] = stepUp.acr[0];
  for (const [path, value] of entries.flatMap(({ claims = {} }) => Object.entries(claims))) {
    const steps = stepsOf(path);
    let place = claims;
    for (const step of steps.slice(0, -1)) {
      const there = place[step];
      const inner: Record<string, unknown> = isRecord(there) ? { ...there } : {};
      place[step] = inner;
      place = inner;
    }
    place[steps.at(-1) ?? ""] = value;
  }
  return claims;
}

/** @param claims an API key has none: what it is known by are its attributes */
export function personOf(
  authenticator: ResolvedAuthenticator,
  { roles, scopes }: Rights,
  attributes: Readonly<Record<string, unknown>>,
  claims: Readonly<Record<string, unknown>>,
): TestPerson {
  const isKey = authenticator.settings.type === "api-key";
  const known = isKey ? { ...attributes, ...claims } : attributes;
  return {
    authenticator: authenticator.name,
    ...(roles.length === 0 ? {} : { roles }),
    ...(scopes.length === 0 ? {} : { scopes }),
    ...(Object.keys(known).length === 0 ? {} : { attributes: known }),
    ...(isKey || Object.keys(claims).length === 0 ? {} : { claims }),
  };
}

/** The other credentials that have to stand beside it. */
export function together({ authenticators, principal }: Way, person: TestPerson): TestPerson {
  if (authenticators.length < 2) return person;
  const { authenticator: _, ...credential } = person;
  return {
    credentials: Object.fromEntries(
      authenticators.map((one) => [one.name, one === principal ? credential : {}]),
    ),
  };
}

export type Spoil = (credential: TestCredential) => TestCredential;

export function changed(caller: Caller, { principal }: Way, spoil: Spoil): Caller {
  return {
    certain: caller.certain,
    as: (params) => {
      const person = caller.as(params);
      if (person?.credentials === undefined)
        return person === undefined ? undefined : { ...person, ...spoil(person) };
      const own = person.credentials[principal.name] ?? {};
      return { ...person, credentials: { ...person.credentials, [principal.name]: spoil(own) } };
    },
  };
}

type TokenSettings = Extract<ResolvedAuthenticator["settings"], { readonly issuer: string }>;

function isTokenOf(settings: ResolvedAuthenticator["settings"]): settings is TokenSettings {
  return "issuer" in settings;
}

function toleranceOf(settings: ResolvedAuthenticator["settings"]): number {
  if (settings.type === "jwt") return parseDuration(settings.clockTolerance ?? "0s") ?? 0;
  return settings.type === "http-signature" ? (parseDuration(settings.tolerance ?? "30s") ?? 0) : 0;
}

/** Credentials that are no more, not yet, or never were good. */
export function spoilings(authenticator: ResolvedAuthenticator): readonly (readonly [string, Spoil])[] {
  const { settings } = authenticator;
  // The first instant at which it is good no more.
  const tolerance = toleranceOf(settings);
  const expires = tolerance === 0 ? "0ms" : `-${tolerance}ms`;
  const spoilings: [string, Spoil][] = [
    ["expired", (credential) => ({ ...credential, expires })],
    ["forged", (credential) => ({ ...credential, forged: true })],
  ];
  // Without a signed time nothing tells how old a webhook is.
  if (settings.type === "signature" && !webhookForm(settings).signed.includes("{time}")) spoilings.shift();
  if (!isTokenOf(settings)) return spoilings;
  const claim =
    (name: string): Spoil =>
    (credential) => ({
      ...credential,
      claims: { ...credential.claims, [name]: "https://elsewhere.invalid/" },
    });
  if (settings.issuer !== "unchecked") spoilings.push(["other issuer", claim("iss")]);
  const { audience } = settings;
  if (typeof audience === "object" && "claim" in audience)
    spoilings.push(["other audience", claim(audience.claim)]);
  else if (audience !== "unchecked") spoilings.push(["other audience", claim("aud")]);
  return spoilings;
}
