/**
 * Signed double-submit tokens, for clients that send neither `Sec-Fetch-Site` nor `Origin`. A page reads the cookie and repeats it in a
 * header, which no other site can do; the HMAC is bound to the principal, so that a cookie that somebody planted is no token of theirs.
 */
import { encodeBase64Url } from "../../lib/base64url.js";
import { utf8 } from "../../lib/bytes.js";
import type { Identity } from "../../model/principal.js";
import type { RequestState } from "../../model/state.js";
import type { Platform } from "../../ports/platform.js";

export interface TokenRule {
  /** Any of which verifies; the first signs. */
  readonly keys: readonly Uint8Array[];
  readonly cookie: string;
  /** Lower case. */
  readonly header: string;
  readonly maxAgeMs: number;
  readonly platform: Pick<Platform, "hmacSha256" | "equalInConstantTime" | "randomBytes" | "decodeBase64Url">;
}

/** Seconds until it ends, a nonce, the HMAC. */
const TOKEN = /^([1-9][0-9]{0,11})\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/u;
const NONCE_BYTES = 16;

/** True where cookie and header hold the same token, which was made for this principal and has not ended. */
export function acceptsToken(rule: TokenRule, state: RequestState, identity: Identity): boolean {
  const sent = state.request.headers.get(rule.header);
  const kept = keptToken(rule, state);
  if (sent === undefined || kept === undefined) return false;
  // Compared by digests of equal length, under a key that nobody outside has.
  const [key] = rule.keys;
  if (key === undefined) return false;
  const { hmacSha256, equalInConstantTime } = rule.platform;
  if (!equalInConstantTime(hmacSha256(key, utf8(sent)), hmacSha256(key, utf8(kept)))) return false;
  return endOf(rule, kept, identity) > state.now;
}

function keptToken({ cookie }: TokenRule, { sentCookies }: RequestState): string | undefined {
  return sentCookies.repeated.has(cookie) ? undefined : sentCookies.values.get(cookie);
}

/** Milliseconds since the epoch; 0 for what is no token of this principal's. */
function endOf({ keys, platform }: TokenRule, token: string, { key: who }: Identity): number {
  const match = TOKEN.exec(token);
  const mac = match === null ? undefined : platform.decodeBase64Url(match[3] ?? "");
  if (match === null || mac === undefined) return 0;
  const signed = signedText(match[1] ?? "", match[2] ?? "", who);
  let good = false;
  for (const key of keys)
    if (platform.equalInConstantTime(platform.hmacSha256(key, signed), mac)) good = true;
  return good ? Number(match[1]) * 1000 : 0;
}

/** `who` comes last: whatever an id holds, it moves no border between the parts. */
function signedText(end: string, nonce: string, who: string): Uint8Array {
  return utf8(`gatehouse csrf token\n${end}\n${nonce}\n${who}`);
}

/** A cookie for the answer, where the caller has none that will last; undefined where it has. */
export function freshCookie(rule: TokenRule, state: RequestState, identity: Identity): string | undefined {
  const [key] = rule.keys;
  if (key === undefined) return undefined;
  const kept = keptToken(rule, state);
  // One of a key that was replaced will not last: it ends with that key.
  const left = kept === undefined ? 0 : endOf({ ...rule, keys: [key] }, kept, identity) - state.now;
  if (left > rule.maxAgeMs / 2) return undefined;
  const seconds = Math.floor((state.now + rule.maxAgeMs) / 1000);
  const nonce = encodeBase64Url(rule.platform.randomBytes(NONCE_BYTES));
  const mac = encodeBase64Url(
    rule.platform.hmacSha256(key, signedText(String(seconds), nonce, identity.key)),
  );
  const token = `${seconds}.${nonce}.${mac}`;
  // Not HttpOnly: the page must read it. Of `__Host-` cookies no sibling domain can set one.
  return `${rule.cookie}=${token}; Path=/; Max-Age=${Math.floor(rule.maxAgeMs / 1000)}; Secure; SameSite=Strict`;
}
