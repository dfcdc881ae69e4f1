/** What the application hands to the engine: code by name. */
import type { Principal } from "../model/principal.js";
import type { ClientCertificate } from "../model/request.js";

/** The facts that a check may read. `locals` reaches the handler: a loaded object is not loaded twice. */
export interface CheckInput {
  readonly principal: Principal | null;
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  /** Key of the route as the policy writes it. */
  readonly route: string;
  readonly locals: Record<string, unknown>;
  /** Aborted when the client is gone or the deadline of 2 s has passed. */
  readonly signal: AbortSignal;
}

/** Only `true` passes, `false` is 403; anything else, or a throw, is a fault. */
export type Check = (input: CheckInput) => boolean | Promise<boolean>;

export type CustomVerdict =
  | "absent"
  | "bad"
  | {
      readonly principal: {
        readonly id: string;
        readonly roles?: readonly string[];
        readonly scopes?: readonly string[];
        readonly claims?: Readonly<Record<string, unknown>>;
      };
    };

/** Application code that verifies a credential of its own kind. */
export type CustomAuthenticator = (input: {
  /** The carrier's value (for `Authorization` without the scheme; for `tls` the certificate's SHA-256 in lower-case hex). */
  readonly credential: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly clientIp: string | undefined;
  /** As the server or a trusted proxy verified it. */
  readonly clientCertificate: ClientCertificate | undefined;
  readonly signal: AbortSignal;
}) => CustomVerdict | Promise<CustomVerdict>;

/** Told when an API key was used, once in a minute for each key. What it throws is ignored; nothing waits for it. */
export type KeySeen = (use: {
  /** Id of the key's record. */
  readonly id: string;
  readonly authenticator: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}) => void | Promise<void>;

/** Returns the record for the lower-case hex SHA-256 of a presented API key, or undefined. */
export type ApiKeyLookup = (sha256: string) => unknown;
