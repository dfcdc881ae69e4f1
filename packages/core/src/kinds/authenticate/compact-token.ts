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
  readonly #text: string;
  readonly #payloadEnd: number;
  readonly #tools: TokenTools;
  #payload: Readonly<Record<string, unknown>> | null | undefined;

  constructor(text: string, headerEnd: number, payloadEnd: number, tools: TokenTools) {
    this.headerSegment = text.slice(0, headerEnd);
    this.#text = text;
    this.#payloadEnd = payloadEnd;
    this.#tools = tools;
  }

  header(): Readonly<Record<string, unknown>> | undefined {
    return this.#object(this.headerSegment);
  }

  /** Parsed once, frozen. Not to be believed before the signature is. */
  payload(): Readonly<Record<string, unknown>> | undefined {
    if (this.#payload === undefined) {
      const segment = this.#text.slice(this.headerSegment.length + 1, this.#payloadEnd);
      this.#payload = this.#object(segment) ?? null;
    }
    return this.#payload ?? undefined;
  }

  /** Still encoded. */
  get signatureSegment(): string {
    return this.#text.slice(this.#payloadEnd + 1);
  }

  signature(): Uint8Array | undefined {
    return this.#tools.decodeBase64Url(this.signatureSegment);
  }

  /** What was signed: both first segments as they stand. */
  get signingInput(): string {
    return this.#text.slice(0, this.#payloadEnd);
  }

  #object(segment: string): Readonly<Record<string, unknown>> | undefined {
    const text = this.#tools.textOfBase64Url(segment);
    return text === undefined ? undefined : parseStrictObject(text);
  }
}

/** Five segments (JWE) and every other count are refused without a look inside; so is an empty segment (`alg: none`). */
export function parseCompact(text: string, tools: TokenTools): CompactToken | Bad {
  const first = text.indexOf(".");
  const second = text.indexOf(".", first + 1);
  if (first < 1 || second <= first + 1 || second === text.length - 1) return NOT_COMPACT;
  return text.includes(".", second + 1) ? NOT_COMPACT : new CompactToken(text, first, second, tools);
}
