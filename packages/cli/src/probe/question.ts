/** What is asked, before it is known what must come of it. */
import type { TestPerson, TestRequest } from "@gatehouse/core/testing";
import type { Area } from "./choices.js";
import type { Shows } from "./proofs/certificates.js";
import type { Spoil } from "./proofs/spoil.js";

/** Somebody who asks, as the policy would know them. */
export interface Asker {
  /** For readers. */
  readonly name: string;
  readonly person: TestPerson;
  /** The credential is good: nobody's throwaway key, nothing expired, nothing spoilt. */
  readonly genuine: boolean;
  /** Of `--people`: whose credential is sent. */
  readonly holder?: string;
}

export interface Question {
  readonly area: Area;
  /** What is wrong with the request, or what it is, in words. */
  readonly about: string;
  /** Key of the route that is meant; undefined: none. */
  readonly route: string | undefined;
  readonly by: Asker | undefined;
  readonly request: TestRequest;
  /**
   * How exactly the answer must be the policy's. `refused`: any refusal will do, since a server may already hide from its guard what is
   * wrong (repeated fields that are joined, framing that the parser refuses). Default `exact`.
   */
  readonly accept?: "exact" | "refused";
  /** Frameworks read the path in several ways: what the policy says under any of them is right. */
  readonly odd?: true;
  /** What is wrong with what the caller proves. */
  readonly spoil?: Spoil;
  /** With which certificate the connection is made. Default: what the caller's credentials ask for. */
  readonly certificate?: Shows;
  /** The same bytes go out twice, and the second answer counts. */
  readonly twice?: boolean;
  /** The proof has not the nonce that the server asks for: it is sent all the same, and not once more. */
  readonly nonce?: "none" | "made up";
}

/** Bytes that no engine is asked about: whatever the policy says, a server must refuse them. */
export interface RawQuestion {
  readonly area: Area;
  readonly about: string;
  readonly head: readonly string[];
  readonly content: string;
}

export function withHeaders(request: TestRequest, headers: TestRequest["headers"]): TestRequest {
  const names = new Set(Object.keys(headers ?? {}).map((name) => name.toLowerCase()));
  const kept = Object.entries(request.headers ?? {}).filter(([name]) => !names.has(name.toLowerCase()));
  return { ...request, headers: { ...Object.fromEntries(kept), ...headers } };
}

/** Without anything that is content. */
export function bare(request: TestRequest): TestRequest {
  const { body: _body, text: _text, base64: _base64, ...rest } = request;
  return rest;
}
