/** The one way out: every call that the engine makes over a network goes through it. */

/** What is called. Compiled from the policy, or named by a provider that the policy names; never by a request. */
export interface OutwardRequest {
  readonly url: string;
  /** Default `GET`. */
  readonly method?: "GET" | "POST";
  /** Beside what fetch itself sends. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Longest answer that is read, in bytes, counted as they are decoded. */
  readonly maxBytes: number;
  /** For all of it, the last byte included. Default 5000. */
  readonly deadlineMs?: number;
  /** Ends the call early, beside the end of the engine. */
  readonly signal?: AbortSignal;
}

/** Whatever status it has, but no redirect: what a status or a content type means is the caller's to judge. */
export interface OutwardAnswer {
  readonly kind: "answer";
  readonly status: number;
  header(name: string): string | undefined;
  readonly body: Uint8Array;
}

export interface OutwardFailure {
  readonly kind: "failure";
  /** For the operator: names host and path, never a query, a header or a body. */
  readonly reason: string;
}

/** Never rejects, and always ends in time, also where `fetch` ignores its signal. */
export type OutwardCall = (request: OutwardRequest) => Promise<OutwardAnswer | OutwardFailure>;

/** `globalThis.fetch`, or what stands in for it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;
