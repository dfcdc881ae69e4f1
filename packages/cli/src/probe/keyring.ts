/** Credentials that a server takes, put in place of the throwaway ones with which the engine was asked. No message holds one. */
import { createPublicKey, type KeyObject } from "node:crypto";
import type { ResolvedAuthenticator, ResolvedPolicy } from "@gatehouse/core/analysis";
import type { TestCredential, TestPerson } from "@gatehouse/core/testing";
import { carriedBy, replaced, type Sendable } from "./carried.js";
import { asksForCertificate, bindingTo, type ShownCertificate } from "./proofs/certificates.js";
import { resigned } from "./proofs/message.js";
import { dpopOf, Prover } from "./proofs/prover.js";
import type { MessageSigner, Signers } from "./proofs/signers.js";
import type { Spoil } from "./proofs/spoil.js";
import type { Asker } from "./question.js";
import { readToken, signed, type Jwk, type SigningKey } from "./tokens.js";

type WebhookSettings = Extract<ResolvedAuthenticator["settings"], { readonly type: "signature" }>;

export interface Holder {
  readonly person: TestPerson;
  readonly credential: string;
}

/** Whoever is asked: the engine under throwaway keys, or the server. */
type Side = "judge" | "wire";

export interface KeyringParts {
  readonly policy: ResolvedPolicy;
  readonly keys: ReadonlyMap<string, SigningKey>;
  readonly holders: ReadonlyMap<string, Holder>;
  readonly publicKeys: ReadonlyMap<string, Jwk>;
  readonly signers: Pick<Signers, "messages" | "webhooks">;
  readonly certificate: ShownCertificate | undefined;
  /** Whether the server takes requests for such that came over HTTPS. */
  readonly https: boolean;
}

export class Keyring {
  readonly prover: Prover;

  constructor(private readonly parts: KeyringParts) {
    this.prover = new Prover(parts.https);
  }

  get holders(): ReadonlyMap<string, Holder> {
    return this.parts.holders;
  }

  signingKey(authenticator: string): SigningKey | undefined {
    return this.parts.keys.get(authenticator);
  }

  /** Id of the principal who signs messages with the key that was handed over. */
  signerOf(authenticator: string): string | undefined {
    return this.parts.signers.messages.get(authenticator)?.id;
  }

  /** What verifies the tokens of an authenticator, where anybody told. */
  publicKey(authenticator: string): KeyObject | undefined {
    const jwk = this.parts.publicKeys.get(authenticator);
    if (jwk !== undefined) return createPublicKey({ key: { ...jwk }, format: "jwk" });
    const own = this.signingKey(authenticator)?.key;
    return own === undefined || own instanceof Uint8Array ? undefined : createPublicKey(own);
  }

  /** The name under which the server knows its key. */
  keyId(authenticator: string): string | undefined {
    const kid = this.parts.publicKeys.get(authenticator)?.["kid"];
    return typeof kid === "string" ? kid : this.signingKey(authenticator)?.kid;
  }

  /** Why nobody's credential of that kind can be sent; undefined: it can. */
  lacking(person: TestPerson, holder: string | undefined): string | undefined {
    for (const [authenticator, credential] of credentialsOf(person, this.parts.policy)) {
      const lacks =
        credential.forged === true ? undefined : this.lackingOne(authenticator, credential, holder);
      if (lacks !== undefined) return lacks;
    }
    return undefined;
  }

  private lackingOne(
    { settings, name }: ResolvedAuthenticator,
    { id, claims = {} }: TestCredential,
    holder: string | undefined,
  ): string | undefined {
    const { keys, signers, certificate } = this.parts;
    const held = holder !== undefined && this.holders.get(holder)?.person.authenticator === name;
    const bound = "senderConstrained" in settings ? settings.senderConstrained : undefined;
    // One that was handed over is bound to a key that was not.
    if (bound !== undefined && (held || settings.type !== "jwt"))
      return `tokens of \`${name}\` are bound to their sender's key`;
    // A token that says itself what it is bound to is made for a connection that lacks it.
    if (bound === "mtls" && certificate === undefined && !Object.hasOwn(claims, "cnf"))
      return `tokens of \`${name}\` are bound to a client's certificate, and none was handed over (\`--cert\`)`;
    switch (settings.type) {
      case "mtls":
        return certificate === undefined
          ? `\`${name}\` wants a client's certificate, and none was handed over (\`--cert\`)`
          : undefined;
      // One that was handed over would be over another message.
      case "signature":
        return signers.webhooks.has(name)
          ? undefined
          : `\`${name}\` wants a signature over the message, and no secret was handed over (\`--key\`)`;
      case "http-signature":
        return signers.messages.get(name)?.id === id && id !== undefined
          ? undefined
          : `\`${name}\` wants a signature over the message, and no key of that signer was handed over (\`--key\`)`;
      default:
        return held || (settings.type === "jwt" && keys.has(name))
          ? undefined
          : `no credential of \`${name}\` was handed over`;
    }
  }

  /** With tokens that are bound to what this keyring can show, where the policy wants them bound and nothing else is said. */
  bound(person: TestPerson): TestPerson {
    const { credentials } = person;
    const policy = this.parts.policy;
    if (credentials === undefined) {
      const [[authenticator] = []] = credentialsOf(person, policy);
      return authenticator === undefined ? person : { ...person, ...this.claimsOf(authenticator, person) };
    }
    const all = credentialsOf(person, policy).map(([one, credential]): [string, TestCredential] => [
      one.name,
      { ...credential, ...this.claimsOf(one, credential) },
    ]);
    return { ...person, credentials: { ...credentials, ...Object.fromEntries(all) } };
  }

  private claimsOf(
    authenticator: ResolvedAuthenticator,
    { claims = {} }: TestCredential,
  ): Pick<TestCredential, "claims"> {
    const cnf = this.confirmation(authenticator);
    return cnf === undefined || Object.hasOwn(claims, "cnf") ? {} : { claims: { ...claims, cnf } };
  }

  /** What a token must say to be bound to us; undefined: it is bound to nobody, or to what we have not. */
  confirmation(authenticator: ResolvedAuthenticator): Readonly<Record<string, string>> | undefined {
    if (dpopOf(authenticator) !== undefined) return { ...this.prover.confirmation(authenticator) };
    const { certificate } = this.parts;
    return isBoundToCertificate(authenticator) && certificate !== undefined
      ? bindingTo(certificate)
      : undefined;
  }

  /** Whether somebody is known by the certificate of the connection, or has tokens that are bound to it. */
  showsCertificate(person: TestPerson): boolean {
    return credentialsOf(person, this.parts.policy).some(
      ([authenticator, { forged }]) =>
        isBoundToCertificate(authenticator) || (asksForCertificate(authenticator) && forged !== true),
    );
  }

  /** Whether each request of theirs brings a proof of its own, which the kit's own cannot stand for. */
  proves(person: TestPerson): boolean {
    return credentialsOf(person, this.parts.policy).some(
      ([authenticator]) =>
        dpopOf(authenticator) !== undefined || this.parts.signers.messages.has(authenticator.name),
    );
  }

  /** Whether a signer says the same of the same message, so that the second is a replay. */
  repeats(person: TestPerson): boolean {
    return credentialsOf(person, this.parts.policy).some(([{ late }]) => late);
  }

  /**
   * What a webhook's sender says of the content, where it may be said once. Undefined: there is nothing of the kind, or it may be said again.
   */
  signatureIn(request: Sendable, person: TestPerson): string | undefined {
    for (const [authenticator, { forged }] of credentialsOf(person, this.parts.policy)) {
      const { settings } = authenticator;
      if (settings.type !== "signature" || forged === true) continue;
      if (isGoodOnce(settings)) return carriedBy(request, authenticator);
    }
    return undefined;
  }

  /** Whether the policy wants proofs to carry a nonce of the server's. */
  wantsNonce(person: TestPerson): boolean {
    return credentialsOf(person, this.parts.policy).some(
      ([authenticator]) => dpopOf(authenticator)?.nonces === true,
    );
  }

  /**
   * With every credential and proof in it, in the order in which one is about the other.
   * @param asked whether the server asked for a nonce
   */
  sealed(
    { method, target, headers, content }: Sendable,
    by: Asker | undefined,
    side: Side,
    spoil: Spoil = {},
    asked = false,
  ): Sendable {
    let request: Sendable = { method, target, headers, content };
    const credentials = by === undefined ? [] : credentialsOf(by.person, this.parts.policy);
    for (const [authenticator, { forged }] of credentials) {
      if (forged !== true && side === "wire")
        request = replaced(request, authenticator, (throwaway) =>
          this.credential(authenticator, throwaway, by?.holder),
        );
      if (dpopOf(authenticator) !== undefined)
        request = this.prover.proved(request, authenticator, spoil, asked);
    }
    for (const [{ name }, { forged }] of credentials) {
      const signer = this.parts.signers.messages.get(name);
      if (signer !== undefined && forged !== true) request = this.signed(request, signer, side, spoil);
    }
    return spoil.request === undefined ? request : spoil.request(request);
  }

  private signed(request: Sendable, signer: MessageSigner, side: Side, { signature }: Spoil): Sendable {
    const { components } = signer;
    return resigned(request, { key: signer[side], https: this.parts.https, components }, signature);
  }

  private credential(
    { name, settings }: ResolvedAuthenticator,
    throwaway: string,
    holder: string | undefined,
  ): string {
    const own = holder === undefined ? undefined : this.holders.get(holder);
    if (own?.person.authenticator === name)
      return settings.type === "basic" ? basic(own.credential) : own.credential;
    const key = this.signingKey(name);
    const token = readToken(throwaway);
    // `lacking` was asked before: whoever comes here has a key.
    return key === undefined || token === undefined ? throwaway : signed(token, key);
  }
}

/** Where no time is signed, the same may be said again unless the policy wants it remembered. */
function isGoodOnce({ replay, remember, preset, signed = "" }: WebhookSettings): boolean {
  const timed = preset === undefined ? signed.includes("{time}") : preset !== "github";
  return replay !== "allow" && (timed || remember !== undefined);
}

function isBoundToCertificate(authenticator: ResolvedAuthenticator): boolean {
  return authenticator.settings.type !== "mtls" && asksForCertificate(authenticator);
}

/** Name and password as they are sent; what has no colon is encoded already (RFC 7617 section 2). */
function basic(credential: string): string {
  return credential.includes(":") ? Buffer.from(credential).toString("base64") : credential;
}

function credentialsOf(
  person: TestPerson,
  policy: ResolvedPolicy,
): readonly (readonly [ResolvedAuthenticator, TestCredential])[] {
  const { credentials, authenticator = [...policy.authenticators.keys()][0] ?? "" } = person;
  return Object.entries(credentials ?? { [authenticator]: person }).flatMap(([name, credential]) => {
    const found = policy.authenticators.get(name);
    return found === undefined ? [] : [[found, credential] as const];
  });
}
