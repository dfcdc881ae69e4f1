/** `Signature-Input` and `Signature` (RFC 9421 section 4): the one signature that counts, by form. */
import type { Dictionary, InnerList } from "structured-headers";
import { structuredFields } from "#libraries";
import type { RequestState } from "../../model/state.js";
import { bad, type Bad } from "./judgement.js";
import { componentOf, type Component } from "./message-component.js";

export interface MessageInput {
  readonly components: readonly Component[];
  readonly keyid: string;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly expires: number | undefined;
  readonly nonce: string | undefined;
  readonly alg: string | undefined;
  readonly signature: Uint8Array;
  /** The line that ends the signature base: components and parameters as the message orders them. */
  readonly parameters: string;
}

export interface InputRules {
  readonly label: string | undefined;
  readonly tag: string | undefined;
}

const MALFORMED = bad("`Signature-Input` or `Signature` cannot be read");
const NO_LABEL = bad("the message has no signature with the label and tag that the policy asks for");
const SEVERAL = bad("the message has several signatures, and the policy does not say which counts");
const NO_SIGNATURE = bad("`Signature` has nothing under the label of `Signature-Input`");
const BAD_COMPONENT = bad(
  "the signature covers a component that a request does not have, or that is not supported",
);
const TWICE = bad("the signature covers a component twice");
const TOO_MANY = bad("the signature covers too many components");
const BAD_PARAMETER = bad("a parameter of the signature is missing, or has a value that it cannot have");

const MAX_COMPONENTS = 64;

export function readInput(text: string, { label, tag }: InputRules, state: RequestState): MessageInput | Bad {
  const inputs = dictionaryOf(text);
  const signatures = dictionaryOf(state.request.headers.get("signature"));
  if (inputs === undefined || signatures === undefined) return MALFORMED;
  const candidates = [...inputs].filter(
    ([name, member]) => (label === undefined || name === label) && (tag === undefined || hasTag(member, tag)),
  );
  const [chosen, second] = candidates;
  if (chosen === undefined) return NO_LABEL;
  if (second !== undefined) return SEVERAL;
  const [name, input] = chosen;
  if (!structuredFields().isInnerList(input)) return MALFORMED;
  const [signature] = signatures.get(name) ?? [];
  if (!(signature instanceof ArrayBuffer)) return NO_SIGNATURE;
  return inputOf(input, new Uint8Array(signature));
}

type Member = Dictionary extends Map<string, infer M> ? M : never;

function hasTag(member: Member, tag: string): boolean {
  return member[1].get("tag") === tag;
}

function dictionaryOf(text: string | undefined): ReadonlyMap<string, Member> | undefined {
  if (text === undefined) return undefined;
  try {
    return structuredFields().parseDictionary(text);
  } catch {
    return undefined;
  }
}

function inputOf(list: InnerList, signature: Uint8Array): MessageInput | Bad {
  const [items, parameters] = list;
  if (items.length > MAX_COMPONENTS) return TOO_MANY;
  const components = items.map(componentOf).filter((component) => component !== undefined);
  if (components.length < items.length) return BAD_COMPONENT;
  if (new Set(components.map(({ id }) => id)).size < components.length) return TWICE;
  const keyid = parameters.get("keyid");
  const created = parameters.get("created");
  const expires = parameters.get("expires");
  const nonce = parameters.get("nonce");
  const alg = parameters.get("alg");
  if (typeof keyid !== "string" || !isInstant(created)) return BAD_PARAMETER;
  if (expires !== undefined && !isInstant(expires)) return BAD_PARAMETER;
  if (!isOptionalText(nonce) || !isOptionalText(alg)) return BAD_PARAMETER;
  const line = structuredFields().serializeInnerList(list);
  return { components, keyid, created, expires, nonce, alg, signature, parameters: line };
}

function isInstant(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}

/** Undefined where a covered component is not in the request, or is more than ASCII: a base of other characters has no one set of bytes. */
export function signatureBase(input: MessageInput, state: RequestState): string | undefined {
  let base = "";
  for (const component of input.components) {
    const value = component.valueIn(state);
    if (value === undefined || !/^[\t\x20-\x7e]*$/u.test(value)) return undefined;
    base += `${component.written}: ${value}\n`;
  }
  return `${base}"@signature-params": ${input.parameters}`;
}
