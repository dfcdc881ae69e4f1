/** The compact form of a JWS (RFC 7515 section 7.1): three segments, one spelling. Form first, so that garbage costs nothing. */
import type { Platform } from "../../ports/platform.js";
import { bad, type Bad } from "./judgement.js";
import { parseStrictObject } from "./strict-json.js";

const NOT_COMPACT = bad("the token is not three segments with two dots between them");

export type TokenTools = Pick<Platform, "decodeBase64Url" | "textOfBase64Url">;

/** A token by its form alone. Decoding happens on demand and answers undefined for any but the one spelling. */
export class CompactToken {
  readonly kind = "token";
  /** Still encoded: the key under which a verified header is remembered. */
  readonly headerSegment: string;
  /** What remembers this header already. */
  headerKnownTo: object | undefined = undefined;
  readonly #field: string;
  readonly #from: number;
  readonly #payloadEnd: number;
  readonly #tools: TokenTools;
  #payload: Readonly<Record<string, unknown>> | null | undefined;

  /** @param field ends with the token, whose parts end before the dots at `headerEnd` and `payloadEnd` */
  constructor(field: string, from: number, headerEnd: number, payloadEnd: number, tools: TokenTools) {
    this.headerSegment = field.slice(from, headerEnd);
    this.#field = field;
    this.#from = from;
    this.#payloadEnd = payloadEnd;
    this.#tools = tools;
  }

  header(): Readonly<Record<string, unknown>> | undefined {
    return this.#object(this.headerSegment);
  }

  /** Parsed once, frozen. Not to be believed before the signature is. */
  payload(): Readonly<Record<string, unknown>> | undefined {
    if (this.#payload === undefined) {
      const segment = this.#field.slice(this.#from + this.headerSegment.length + 1, this.#payloadEnd);
      this.#payload = this.#object(segment) ?? null;
    }
    return this.#payload ?? undefined;
  }

  /** Still encoded. */
  get signatureSegment(): string {
    return this.#field.slice(this.#payloadEnd + 1);
  }

  signature(): Uint8Array | undefined {
    return this.#tools.decodeBase64Url(this.signatureSegment);
  }

  /** What was signed: both first segments as they stand. */
  get signingInput(): string {
    return this.#field.slice(this.#from, this.#payloadEnd);
  }

  #object(segment: string): Readonly<Record<string, unknown>> | undefined {
    const text = this.#tools.textOfBase64Url(segment);
    return text === undefined ? undefined : parseStrictObject(text);
  }
}

/**
 * Five segments (JWE) and every other count are refused without a look inside; so is an empty segment (`alg: none`).
 * @param from where in the field the token begins, which goes on to its end: it is not cut out before its parts are
 */
export function parseCompact(field: string, tools: TokenTools, from = 0): CompactToken | Bad {
  const first = field.indexOf(".", from);
  const second = field.indexOf(".", first + 1);
  if (first <= from || second <= first + 1 || second === field.length - 1) return NOT_COMPACT;
  return field.includes(".", second + 1) ? NOT_COMPACT : new CompactToken(field, from, first, second, tools);
}
