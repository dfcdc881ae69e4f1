/** The compact form of a JWS (RFC 7515 section 7.1): three segments, one spelling. Form first, so that garbage costs nothing. */
import { decodeBase64Url, decodeBase64UrlText } from "../../lib/base64url.js";
import { bad, type Bad } from "./judgement.js";
import { parseStrictObject } from "./strict-json.js";

const NOT_COMPACT = bad("the token is not three segments with two dots between them");

/** A token by its form alone. Decoding happens on demand and answers undefined for any but the one spelling. */
export class CompactToken {
  readonly kind = "token";
  readonly #text: string;
  readonly #first: number;
  readonly #second: number;
  #payload: Readonly<Record<string, unknown>> | null | undefined;

  constructor(text: string, first: number, second: number) {
    this.#text = text;
    this.#first = first;
    this.#second = second;
  }

  /** Still encoded: the key under which a verified header is remembered. */
  get headerSegment(): string {
    return this.#text.slice(0, this.#first);
  }

  header(): Readonly<Record<string, unknown>> | undefined {
    const text = decodeBase64UrlText(this.#text, 0, this.#first);
    return text === undefined ? undefined : parseStrictObject(text);
  }

  /** Parsed once, frozen. Not to be believed before the signature is. */
  payload(): Readonly<Record<string, unknown>> | undefined {
    if (this.#payload === undefined) {
      const text = decodeBase64UrlText(this.#text, this.#first + 1, this.#second);
      this.#payload = (text === undefined ? undefined : parseStrictObject(text)) ?? null;
    }
    return this.#payload ?? undefined;
  }

  signature(): Uint8Array | undefined {
    return decodeBase64Url(this.#text, this.#second + 1);
  }

  /** What was signed: both first segments as they stand. */
  get signingInput(): string {
    return this.#text.slice(0, this.#second);
  }
}

/** Five segments (JWE) and every other count are refused without a look inside; so is an empty segment (`alg: none`). */
export function parseCompact(text: string): CompactToken | Bad {
  const first = text.indexOf(".");
  const second = text.indexOf(".", first + 1);
  if (first < 1 || second <= first + 1 || second === text.length - 1) return NOT_COMPACT;
  return text.includes(".", second + 1) ? NOT_COMPACT : new CompactToken(text, first, second);
}
