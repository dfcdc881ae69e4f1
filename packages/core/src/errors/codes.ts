/** What a code means, once. `detail` may be read by the caller; it never names a value or a rule. */
export interface ErrorEntry {
  readonly status: number;
  /** Does not vary between occurrences (RFC 9457 section 3.1.4). */
  readonly title: string;
  /** What the caller can do about it. */
  readonly detail?: string;
}

/** THE table of codes: every refusal and fault that can leave the engine. */
export const ERRORS = {
  // normalize
  "ambiguous-path": {
    status: 400,
    title: "Ambiguous path",
    detail: "The request target can be read in more than one way.",
  },
  "malformed-request": { status: 400, title: "Malformed request" },
  "duplicate-header": { status: 400, title: "Duplicate header field" },
  "ambiguous-framing": { status: 400, title: "Ambiguous message framing" },
  "ambiguous-host": { status: 400, title: "Ambiguous host" },
  "method-override": { status: 400, title: "Method override is not accepted" },
  "malformed-query": { status: 400, title: "Malformed query" },
  "expectation-failed": { status: 417, title: "Expectation failed" },
  "too-early": { status: 425, title: "Too early" },
  "header-section-too-large": { status: 431, title: "Request header fields too large" },
  "target-too-long": { status: 414, title: "URI too long" },
  // shed
  overloaded: { status: 503, title: "Overloaded", detail: "Repeat the request after a while." },
  // transport
  "https-required": { status: 403, title: "HTTPS required", detail: "Repeat the request over HTTPS." },
  "misdirected-host": { status: 421, title: "Misdirected request" },
  "upgrade-refused": { status: 403, title: "Upgrade refused" },
  // route
  "not-found": { status: 404, title: "Not found" },
  "method-not-allowed": { status: 405, title: "Method not allowed" },
  // cors, csrf
  "origin-not-allowed": { status: 403, title: "Origin not allowed" },
  "cross-site-request": { status: 403, title: "Cross-site request refused" },
  // limits
  "rate-limited": { status: 429, title: "Too many requests" },
  "missing-limit-fact": { status: 429, title: "Too many requests" },
  "capacity-reduced": { status: 503, title: "Capacity temporarily reduced" },
  // authenticate
  unauthenticated: { status: 401, title: "Authentication required" },
  "invalid-credential": { status: 401, title: "Invalid credential" },
  "conflicting-credentials": { status: 400, title: "Conflicting credentials" },
  "insufficient-authentication": { status: 401, title: "Stronger authentication required" },
  // authorize, check
  forbidden: { status: 403, title: "Forbidden" },
  "insufficient-scope": { status: 403, title: "Insufficient scope" },
  "condition-error": { status: 403, title: "Forbidden" },
  // parameters, body, validate
  "invalid-parameters": { status: 400, title: "Invalid parameters" },
  "unexpected-body": { status: 400, title: "Unexpected content" },
  "missing-body": { status: 400, title: "Missing content" },
  "malformed-body": { status: 400, title: "Malformed content" },
  "unsupported-media-type": { status: 415, title: "Unsupported media type" },
  "body-too-large": { status: 413, title: "Content too large" },
  "invalid-body": { status: 422, title: "Invalid content" },
  "body-already-read": { status: 500, title: "Internal server error" },
  // respond
  "unreadable-response": { status: 500, title: "Internal server error" },
  "response-mismatch": { status: 500, title: "Internal server error" },
  "handler-failed": { status: 500, title: "Internal server error" },
  "handler-refused": { status: 400, title: "Request refused" },
  // faults
  "internal-error": { status: 500, title: "Internal server error" },
  unavailable: { status: 503, title: "Service unavailable" },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;
