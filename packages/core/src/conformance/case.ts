/**
 * Cases are data: a policy, requests, and what must come of them. Closed-world: an unknown field is an error.
 * The same file is run by the pure core and, over real sockets, through every adapter.
 */
import type { CheckRecipe } from "./checks.js";

export interface CaseFile {
  readonly about: string;
  /**
   * By name. Placeholders anywhere inside: `{ "$jwk": "es-1" }` becomes the public JWK of a throwaway key that the runner makes
   * (`es-1`, `es-2`: P-256; `rs-1`: RSA 2048; `ed-1`: Ed25519), `{ "$sha256": "text" }` the hex digest of a text,
   * `{ "$repeat": ["x", 1000] }` a long text, `{ "$fingerprint": "ann" }` the hex digest of somebody's client certificate,
   * `{ "$scrypt": "password" }` the hash of a password.
   */
  readonly policies: { readonly [name: string]: unknown };
  readonly cases: readonly Case[];
}

export interface Case extends Partial<Step> {
  /** One sentence: what must hold. */
  readonly name: string;
  /** Numbers from the project's threat list, such as `B1.4`. */
  readonly threats?: readonly string[];
  readonly policy: string;
  /** Virtual clock at the start; default `2026-06-01T12:00:00Z`. */
  readonly at?: string;
  /** Reference to text, or `{ "$secret": "hs-1" }`: 64 random bytes that tokens can be signed with; for `env:` and `file:`. */
  readonly secrets?: { readonly [reference: string]: unknown };
  /** By name, what the application's checks do: `true`, `false`, `later` (true, as a promise), `throws`, `rejects`, `neither` (no boolean), `hangs`. */
  readonly checks?: { readonly [name: string]: CheckRecipe };
  /** What becomes of events that must be kept; default `keeps`. */
  readonly sink?: "keeps" | "fails" | "throws" | "hangs" | "none";
  /** By URL, what servers answer that the engine calls: the first answer that fits. What is not named cannot be reached. */
  readonly outside?: { readonly [url: string]: readonly OutsideAnswer[] };
  /** Several requests in a row against one engine; instead of `request` and `expect` here. */
  readonly steps?: readonly Step[];
  /** Not over a socket, and why: the peer's address cannot be chosen, the server's own parser refuses the bytes first … */
  readonly coreOnly?: string;
}

export interface OutsideAnswer {
  /** Only for calls whose body holds this text. */
  readonly when?: string;
  /** Only for so many calls. */
  readonly times?: number;
  /** Default 200. */
  readonly status?: number;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Sent as JSON; placeholders as in policies. */
  readonly json?: unknown;
  readonly text?: string;
  /** The server cannot be reached. */
  readonly fails?: true;
}

export interface Step {
  readonly request: CaseRequest;
  /** What the handler answers if it runs; default 200 `{"ok":true}` as JSON. */
  readonly answer?: CaseAnswer;
  readonly expect: CaseExpectation;
  /** Moves the virtual clock before this step: `+10s`, `+1500ms`. */
  readonly wait?: string;
  /** Milliseconds by which the event loop is late, from this step on; default 0. */
  readonly delay?: number;
  /** Under way while this step is taken: their body is announced and does not come. Each must be let in, as far as its head tells. */
  readonly meanwhile?: readonly CaseRequest[];
}

export interface CaseRequest {
  /** Default `GET`. */
  readonly method?: string;
  readonly target: string;
  /** As sent; `{ "$certificate": "ann" }` is somebody's client certificate as a Byte Sequence (RFC 9440). `Host: a.test` is put in front unless a Host stands here or `bare` is true; Content-Length after them where a body is sent. */
  readonly headers?: readonly (readonly [name: string, value: string | { readonly $certificate: string }])[];
  readonly bare?: boolean;
  readonly httpVersion?: "1.0" | "1.1";
  /** Text; `{ "json": … }` (adds `Content-Type: application/json` unless one stands above); `{ "base64": "…" }`; `{ "repeat": ["a", 1000] }`. */
  readonly body?:
    | string
    | { readonly json: unknown }
    | { readonly base64: string }
    | { readonly repeat: readonly [string, number] };
  /** Adds `Authorization: Bearer …`. */
  readonly token?: TokenRecipe;
  /** Adds the token as this cookie instead. */
  readonly tokenCookie?: string;
  /** Adds the fields of a webhook's signature over the body. */
  readonly webhook?: WebhookRecipe;
  /** Adds `Signature-Input`, `Signature` and, where there is a body, `Content-Digest`. */
  readonly message?: MessageRecipe;
  /** Scheme of the token; default `Bearer`. */
  readonly tokenScheme?: string;
  /** Adds `DPoP: …`: a proof of possession for this request and its token (RFC 9449). */
  readonly proof?: ProofRecipe;
  /**
   * Whose client certificate the connection has; it needs `https`. `ann` and `bob` are people of one authority, which the server
   * trusts; a certificate of `forged` is nobody's.
   */
  readonly clientCertificate?: "ann" | "bob" | "forged";
  /** Peer of the socket; default `127.0.0.1`. Over sockets only 127.0.0.0/8 can be had. */
  readonly ip?: string;
  /** The socket is TLS; default false. */
  readonly https?: boolean;
  readonly upgrade?: boolean;
}

export interface ProofRecipe {
  /** Name of the runner's key that signs, and that the proof brings; default `es-2`. */
  readonly key?: string;
  /** Merged over `{ typ: "dpop+jwt", alg, jwk }`; null takes one out. */
  readonly header?: { readonly [name: string]: unknown };
  /** Merged over `{ jti, htm, htu, iat: now, ath }`; null takes one out. A `jti` that is not written is new each time. */
  readonly claims?: { readonly [name: string]: unknown };
}

export interface TokenRecipe {
  /** Name of the runner's key; default `es-1`. */
  readonly key?: string;
  /** Merged over `{ alg, kid: <key name>, typ: "at+jwt" }`; null takes one out. */
  readonly header?: { readonly [name: string]: unknown };
  /** Merged over `{ iss: "https://id.example.test/", aud: "api", sub: "ann", iat: now, exp: now + 300 }`; null takes one out. `{ "$now": -10 }` is an instant relative to the virtual clock, in seconds; `{ "$jkt": "es-2" }` the thumbprint of a key (RFC 7638), `{ "$x5t": "ann" }` that of a client certificate. */
  readonly claims?: { readonly [name: string]: unknown };
  /** After signing. */
  readonly spoil?: "signature" | "padding" | "blank" | "spare-bits" | "truncate" | "unsigned";
  /** Sent as it stands, nothing is signed. */
  readonly raw?: string;
}

export interface WebhookRecipe {
  /** Text, or the runner's bytes by name. */
  readonly secret: string | { readonly $secret: string };
  /** For `{hex2}` and so on: what other secrets make of the same. */
  readonly more?: readonly (string | { readonly $secret: string })[];
  /** What is signed: text around `{time}`, `{id}` and `{body}`. */
  readonly over: string;
  /** Text around `{hex}`, `{base64}`, `{base64url}`, `{time}`, `{id}`. */
  readonly headers: readonly (readonly [name: string, template: string])[];
  /** In units from the virtual clock; default 0. */
  readonly time?: number;
  /** Default `s`. */
  readonly unit?: "s" | "ms";
  /** In place of a time that is reckoned. */
  readonly stamp?: string;
  /** Default `msg_1`. */
  readonly id?: string;
  /** Default `sha256`. */
  readonly hash?: string;
  /** Signed in place of the body that is sent. */
  readonly body?: string;
}

export interface MessageRecipe {
  /** Name of the runner's key, and its `keyid`. */
  readonly key: string;
  readonly keyid?: string | null;
  /** Default `sig1`. */
  readonly label?: string;
  /** Default `@method`, `@target-uri`, and `content-digest` where there is one. */
  readonly components?: readonly string[];
  /** Seconds from the virtual clock; default 0; null leaves it out. */
  readonly created?: number | null;
  /** Seconds from the virtual clock. */
  readonly expires?: number;
  /** Further parameters. */
  readonly parameters?: { readonly [name: string]: string | number };
  /** Default `sha-256` where there is a body. */
  readonly digest?: "sha-256" | "sha-512" | "none";
  /** Digested in place of the body that is sent. */
  readonly body?: string;
}

export interface CaseAnswer {
  readonly status?: number;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Object before serialization (the core is given it so; adapters write its JSON). */
  readonly json?: unknown;
  /** Text as the handler wrote it. */
  readonly text?: string;
  /** The handler throws an Error with this message. */
  readonly throws?: string;
}

export interface CaseExpectation {
  readonly outcome: "admit" | "refuse" | "answer";
  readonly stage?: string;
  readonly code?: string;
  /** What goes out in the end: of the refusal, the engine's own answer, or the shaped answer of the handler. */
  readonly status: number;
  /** Field to exact value, to `null` (must be absent), or to `{ "contains": "…" }`. Names without regard to case. */
  readonly headers?: { readonly [name: string]: string | null | { readonly contains: string } };
  /** The JSON that goes out, exactly. */
  readonly json?: unknown;
  /** Members that the JSON going out must have, each exactly. */
  readonly members?: { readonly [name: string]: unknown };
  /** The text that goes out, exactly. */
  readonly text?: string;
  /** Texts that must not stand anywhere in what goes out. */
  readonly absent?: readonly string[];
  /** Pointer and rule of each problem that the refusal lists, in any order. */
  readonly errors?: readonly (readonly [pointer: string, rule: string])[];
  /** What the handler read; each named member exactly. `principal: null` is anonymous; of a principal the named members. */
  readonly handler?: {
    readonly route?: string;
    readonly principal?: null | { readonly [field: string]: unknown };
    readonly params?: unknown;
    readonly query?: unknown;
    readonly headers?: unknown;
    readonly body?: unknown;
  };
  /** Codes of what observe mode would have refused, in order. */
  readonly observed?: readonly string[];
  /** What of the request is on the record, exactly; `facts` by default none. */
  readonly record?: {
    readonly facts?: { readonly [fact: string]: unknown };
    readonly absent?: readonly string[];
    readonly omitted?: readonly string[];
  };
}
