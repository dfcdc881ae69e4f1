/** Credentials that a server takes, put in place of the throwaway ones with which the engine was asked. No message holds one. */
import { createPublicKey, type KeyObject } from "node:crypto";
import type { ResolvedAuthenticator, ResolvedPolicy } from "@gatehouse/core/analysis";
import type { SentRequest, TestCredential, TestPerson } from "@gatehouse/core/testing";
import { readToken, signed, type Jwk, type SigningKey } from "./tokens.js";
import type { Asker } from "./question.js";

export interface Holder {
  readonly person: TestPerson;
  readonly credential: string;
}

/** Or why it cannot be sent. */
export type Realised =
  | { readonly request: Pick<SentRequest, "method" | "target" | "headers" | "content"> }
  | { readonly lacks: string };

export class Keyring {
  constructor(
    private readonly policy: ResolvedPolicy,
    private readonly keys: ReadonlyMap<string, SigningKey>,
    readonly holders: ReadonlyMap<string, Holder>,
    private readonly publicKeys: ReadonlyMap<string, Jwk>,
  ) {}

  signingKey(authenticator: string): SigningKey | undefined {
    return this.keys.get(authenticator);
  }

  /** What verifies the tokens of an authenticator, where anybody told. */
  publicKey(authenticator: string): KeyObject | undefined {
    const jwk = this.publicKeys.get(authenticator);
    if (jwk !== undefined) return createPublicKey({ key: { ...jwk }, format: "jwk" });
    const own = this.keys.get(authenticator)?.key;
    return own === undefined || own instanceof Uint8Array ? undefined : createPublicKey(own);
  }

  /** The name under which the server knows its key. */
  keyId(authenticator: string): string | undefined {
    const kid = this.publicKeys.get(authenticator)?.["kid"];
    return typeof kid === "string" ? kid : this.keys.get(authenticator)?.kid;
  }

  /** Why nobody's credential of that kind can be sent; undefined: it can. */
  lacking(person: TestPerson, holder: string | undefined): string | undefined {
    for (const [authenticator, { forged }] of credentialsOf(person, this.policy)) {
      if (forged === true) continue;
      const { settings, name } = authenticator;
      if ("senderConstrained" in settings && settings.senderConstrained !== undefined)
        return `tokens of \`${name}\` are bound to their sender's key`;
      if (settings.type === "mtls") return `\`${name}\` wants a client's certificate, and a probe shows none`;
      // One that was handed over would be over another message.
      if (settings.type === "signature" || settings.type === "http-signature")
        return `\`${name}\` wants a signature over the message, and a probe makes none`;
      if (holder !== undefined && this.holders.get(holder)?.person.authenticator === name) continue;
      if (settings.type !== "jwt" || !this.keys.has(name))
        return `no credential of \`${name}\` was handed over`;
    }
    return undefined;
  }

  realise(sent: SentRequest, by: Asker | undefined): Realised {
    const { method, target, headers, content } = sent;
    const plain = { method, target, headers, content };
    if (by === undefined) return { request: plain };
    const lacks = this.lacking(by.person, by.holder);
    if (lacks !== undefined) return { lacks };
    let request: typeof plain = plain;
    for (const [authenticator, { forged }] of credentialsOf(by.person, this.policy)) {
      if (forged === true) continue;
      request = replaced(request, authenticator, (throwaway) =>
        this.credential(authenticator, throwaway, by.holder),
      );
    }
    return { request };
  }

  private credential(
    { name, settings }: ResolvedAuthenticator,
    throwaway: string,
    holder: string | undefined,
  ): string {
    const own = holder === undefined ? undefined : this.holders.get(holder);
    if (own?.person.authenticator === name)
      return settings.type === "basic" ? basic(own.credential) : own.credential;
    const key = this.keys.get(name);
    const token = readToken(throwaway);
    // `lacking` was asked before: whoever comes here has a key.
    return key === undefined || token === undefined ? throwaway : signed(token, key);
  }
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

type Sendable = Pick<SentRequest, "method" | "target" | "headers" | "content">;

function replaced(
  request: Sendable,
  { carrier }: ResolvedAuthenticator,
  change: (text: string) => string,
): Sendable {
  if (carrier.in === "query") {
    const pattern = new RegExp(`([?&]${encodeURIComponent(carrier.name)}=)([^&]*)`, "u");
    const target = request.target.replace(
      pattern,
      (_all, start: string, text: string) => start + encodeURIComponent(change(decodeURIComponent(text))),
    );
    return { ...request, target };
  }
  const wanted = carrier.in === "cookie" ? "cookie" : carrier.name;
  const headers = request.headers.map(([name, value]) =>
    name.toLowerCase() === wanted
      ? ([name, inField(value, carrier, change)] as const)
      : ([name, value] as const),
  );
  return { ...request, headers };
}

function inField(
  value: string,
  carrier: ResolvedAuthenticator["carrier"],
  change: (text: string) => string,
): string {
  if (carrier.in === "cookie")
    return value
      .split("; ")
      .map((pair) => {
        const [name = "", ...rest] = pair.split("=");
        return name === carrier.name ? `${name}=${change(rest.join("="))}` : pair;
      })
      .join("; ");
  const [, scheme = "", text = ""] = /^(\S+ )?([^]*)$/u.exec(value) ?? [];
  return carrier.scheme === undefined ? change(value) : scheme + change(text);
}
