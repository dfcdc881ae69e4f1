/** The JOSE header (RFC 7515 section 4): which key verifies. Nothing in it is followed, fetched or taken as a key. */
import type { JwtSettings } from "../../model/policy.js";
import type { SignatureVerifier } from "../../ports/platform.js";
import type { CompactToken } from "./compact-token.js";
import { bad, type Bad } from "./judgement.js";
import type { KeyTable } from "./key-table.js";

const MALFORMED = bad("the token's header is not base64url of one JSON object");
const CRITICAL = bad("the token's header has `crit`");
const DETACHED = bad("the token's header has `b64`");
const NESTED = bad("the token's header has `cty`: a nested token");
const OTHER_TYPE = bad("the token's `typ` is not accepted");
const BAD_KID = bad("the token's `kid` is no string");
const NO_KEY = bad("no configured key has the token's `alg` and `kid`");
/** The same, where the algorithm is one of those that are accepted: newer keys might have it. */
export const MISSING_KEY = bad(NO_KEY.reason);

/** RFC 9068 section 4, and what issuers wrote before it. Absent is accepted too, unless the author lists values. */
const ACCESS_TOKEN_TYPES = ["at+jwt", "application/at+jwt"];
const DEFAULT_TYPES = [...ACCESS_TOKEN_TYPES, "jwt"];

/** Headers remembered of each sort. An issuer has a handful; more are simply read again. */
const MAX_REMEMBERED = 64;
/** Longer refused headers are not worth their memory. */
const MAX_REFUSED_LENGTH = 256;

export interface HeaderRules {
  /** The key for the token, or why there is none. What a header says depends on its text and the policy alone, so it is read once. */
  select(token: CompactToken): SignatureVerifier | Bad;
  /** Called once a signature under this header was good: strangers cannot fill the memory for good ones. */
  remember(token: CompactToken, key: SignatureVerifier): void;
}

export function compileHeader(
  keys: Pick<KeyTable, "select">,
  { typ: written, profile, algorithms }: Pick<JwtSettings, "typ" | "profile" | "algorithms">,
): HeaderRules {
  // RFC 9068 section 4: no other type is an access token, and neither is none.
  const typ = profile === "rfc9068" ? ACCESS_TOKEN_TYPES : written;
  const allowed = new Set<unknown>(algorithms);
  const types = new Set((typ ?? DEFAULT_TYPES).map((name) => name.toLowerCase()));
  const memory = new HeaderMemory();
  return {
    select(token) {
      const segment = token.headerSegment;
      const known = memory.get(segment);
      if (known !== undefined) {
        token.headerKnownTo = memory;
        return known;
      }
      const judged = judgeHeader(token.header(), { keys, types, allowed, untyped: typ === undefined });
      if ("kind" in judged) memory.addRefused(segment, judged);
      return judged;
    },
    remember({ headerSegment, headerKnownTo }, key) {
      if (headerKnownTo !== memory) memory.addGood(headerSegment, key);
    },
  };
}

interface Remembered {
  readonly segment: string;
  readonly judged: SignatureVerifier | Bad;
}

/** What was made of headers, by their text. Good and refused ones have room of their own. */
class HeaderMemory {
  readonly #all = new Map<string, Remembered>();
  /** Most tokens have the header of the one before: comparing costs less than hashing. */
  #last: Remembered | undefined = undefined;
  #good = 0;
  #refused = 0;

  get(segment: string): SignatureVerifier | Bad | undefined {
    if (this.#last?.segment === segment) return this.#last.judged;
    const known = this.#all.get(segment);
    if (known !== undefined) this.#last = known;
    return known?.judged;
  }

  addGood(segment: string, judged: SignatureVerifier): void {
    if (this.#good >= MAX_REMEMBERED || this.#all.has(segment)) return;
    this.#good += 1;
    this.#add(segment, judged);
  }

  addRefused(segment: string, judged: Bad): void {
    if (this.#refused >= MAX_REMEMBERED || segment.length > MAX_REFUSED_LENGTH) return;
    this.#refused += 1;
    this.#add(segment, judged);
  }

  #add(slice: string, judged: SignatureVerifier | Bad): void {
    const segment = copied(slice);
    this.#all.set(segment, { segment, judged });
  }
}

/** A slice would keep the whole token alive behind it. */
function copied(slice: string): string {
  return Array.from(slice).join("");
}

interface HeaderParts {
  readonly keys: Pick<KeyTable, "select">;
  readonly types: ReadonlySet<string>;
  readonly allowed: ReadonlySet<unknown>;
  /** A token without `typ` will do. */
  readonly untyped: boolean;
}

function judgeHeader(
  header: Readonly<Record<string, unknown>> | undefined,
  { keys, types, allowed, untyped }: HeaderParts,
): SignatureVerifier | Bad {
  if (header === undefined) return MALFORMED;
  const { alg, kid, typ, cty } = header;
  // No extension is understood, so `crit` can name nothing that we honour, however it is spelled (RFC 7515 section 4.1.11).
  if (header["crit"] !== undefined) return CRITICAL;
  if (header["b64"] !== undefined) return DETACHED;
  if (cty !== undefined) return NESTED;
  if (typ === undefined ? !untyped : typeof typ !== "string" || !types.has(typ.toLowerCase()))
    return OTHER_TYPE;
  if (kid !== undefined && typeof kid !== "string") return BAD_KID;
  if (typeof alg !== "string" || !allowed.has(alg)) return NO_KEY;
  return keys.select(alg, kid) ?? MISSING_KEY;
}
