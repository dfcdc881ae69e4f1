/** Who calls, as an authenticator vouched for it. Frozen, shared by all requests that carry the same credential. */
export interface Principal {
  /** Non-empty; unique only within its authenticator. */
  readonly id: string;
  /** As granted and declared in `roles`, together with all that they include. */
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  readonly claims: Readonly<Record<string, unknown>>;
  readonly authenticator: string;
  /** Principals of the other credentials where several had to pass together. */
  readonly with?: Readonly<Record<string, Principal>>;
  /** Whatever the authenticator's `principal` maps, or an API key's attributes. */
  readonly [attribute: string]: unknown;
}

/** The engine's view of a principal: what stages ask per request is prepared once per credential. */
export interface Identity {
  readonly principal: Principal;
  readonly authenticator: string;
  /** Closed over the hierarchy. */
  readonly roles: ReadonlySet<string>;
  readonly scopes: ReadonlySet<string>;
  /** True when the credential travels by itself (cookie, TLS, Basic): cross-site requests carry it too. */
  readonly ambient: boolean;
  /** Length-prefixed (authenticator, id): the key of limits, revocation and events. */
  readonly key: string;
}
