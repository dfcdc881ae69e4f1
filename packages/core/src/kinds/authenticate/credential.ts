/** One presented credential. What several authenticators want to know of it is worked out once, at first asking. */
import type { RequestState } from "../../model/state.js";
import type { Platform } from "../../ports/platform.js";
import { parseCompact, type CompactToken, type TokenTools } from "./compact-token.js";
import { bad, type Bad, type Judgement } from "./judgement.js";

/** Longest credential of any kind. Node's own limit for all header fields together is 16 kB. */
export const MAX_CREDENTIAL = 8192;

export type CredentialTools = Pick<Platform, "sha256" | "sha256Hex"> & TokenTools;

export class Credential {
  /** What it stood in, and where it begins there: of a token that is at hand nothing else is looked at. */
  readonly field: string;
  readonly from: number;
  readonly #tools: CredentialTools;
  #text: string | undefined;
  #digest: string | undefined;
  #digestBytes: Uint8Array | undefined;
  #token: CompactToken | Bad | undefined;
  #mark: number | undefined;

  constructor(field: string, from: number, tools: CredentialTools) {
    this.field = field;
    this.from = from;
    this.#tools = tools;
  }

  get text(): string {
    return (this.#text ??= this.field.slice(this.from));
  }

  /** SHA-256 of the whole text, lower-case hex: what memory is keyed by, so that no credential is kept. */
  get digest(): string {
    return (this.#digest ??= this.#tools.sha256Hex(this.text));
  }

  /** The same as bytes, for comparisons. */
  get digestBytes(): Uint8Array {
    return (this.#digestBytes ??= this.#tools.sha256(this.text));
  }

  /**
   * Where memory looks for it: of the end of the text, where a token has its signature, for nothing else of it is as evenly
   * spread. Its last character has spare bits. Others may have the same one: it decides nothing.
   */
  get mark(): number {
    return (this.#mark ??= markOf(this.field, this.from));
  }

  /** The text as a compact JWS, by its form alone; nothing is decoded yet. */
  get token(): CompactToken | Bad {
    return (this.#token ??=
      this.field.length - this.from > MAX_CREDENTIAL
        ? TOO_LONG
        : parseCompact(this.field, this.#tools, this.from));
  }
}

const MARKED = 8;

function markOf(field: string, from: number): number {
  const end = field.length - 1;
  let mark = 0;
  for (let index = Math.max(from, end - MARKED); index < end; index += 1) {
    mark = (Math.imul(mark, 31) + field.charCodeAt(index)) | 0;
  }
  return mark;
}

export const TOO_LONG: Bad = bad(`the credential is longer than ${MAX_CREDENTIAL} characters`);

/** An authenticator, compiled. Synchronous unless its key or its code is not. */
export type Judge = (credential: Credential, state: RequestState) => Judgement | Promise<Judgement>;
