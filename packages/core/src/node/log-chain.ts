/**
 * Lines that carry the hash of the line before them, with signed heads between: whoever changes, removes, adds or reorders a line
 * behind a head breaks what the head signs. A line is the canonical form (RFC 8785) of its object, so that one line has one hash.
 */
import { createHash, randomUUID } from "node:crypto";
import { canonicalJson } from "../lib/canonical-json.js";
import { signJws, type SigningKey } from "./signing.js";

/** Of the JWS header of a head. */
export const HEAD_TYPE = "gatehouse-log-head+jws";

export function hashOf(line: string): string {
  return createHash("sha256").update(line).digest("base64url");
}

/** What a head signs. */
export interface SignedHead {
  readonly chain: string;
  readonly seq: number;
  readonly prev: string | null;
  readonly time: number;
  /** Nothing follows in this file. */
  readonly last: boolean;
}

export interface ChainPlace {
  readonly chain: string;
  /** Of the next line. */
  readonly seq: number;
  /** Hash of the line before it; null: there is none. */
  readonly prev: string | null;
  /** Lines since the last head. */
  readonly unsealed: number;
}

export class LogChain {
  #place: ChainPlace;

  constructor(private readonly key: SigningKey) {
    this.#place = { chain: randomUUID(), seq: 0, prev: null, unsealed: 0 };
  }

  /** Where the next line goes: to come back to when lines could not be written. */
  get place(): ChainPlace {
    return this.#place;
  }

  back(place: ChainPlace): void {
    this.#place = place;
  }

  /** @param prev hash of the last line that stands in the file, or in the file before it */
  start(prev: string | null, time: number): string {
    const chain = randomUUID();
    this.#place = { chain, seq: 0, prev, unsealed: 0 };
    return this.next({ type: "start", chain, time });
  }

  next(value: object): string {
    const { chain, seq, prev, unsealed } = this.#place;
    // Through JSON: a member that is undefined is none, and what cannot be said in JSON fails here.
    const line = canonicalJson({ ...(JSON.parse(JSON.stringify(value)) as object), seq, prev });
    this.#place = { chain, seq: seq + 1, prev: hashOf(line), unsealed: unsealed + 1 };
    return line;
  }

  head(time: number, last: boolean): string {
    const { chain, seq, prev } = this.#place;
    const signed: SignedHead = { chain, seq, prev, time, last };
    const payload = Buffer.from(canonicalJson(signed)).toString("base64url");
    const { header, signature } = signJws(payload, this.key, HEAD_TYPE);
    const line = this.next({ type: "head", jws: `${header}.${payload}.${signature}` });
    this.#place = { ...this.#place, unsealed: 0 };
    return line;
  }
}
