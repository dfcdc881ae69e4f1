/**
 * HTTP Message Signatures (RFC 9421). Order: form, key, what is covered, time, signature; then the body against `Content-Digest`, and last
 * the memory of what was accepted. Algorithm and key are the policy's: a message can only agree.
 */
import type { Fault } from "../../model/outcome.js";
import type { RequestState } from "../../model/state.js";
import type { Clock } from "../../ports/clock.js";
import type { Platform, SignatureVerifier } from "../../ports/platform.js";
import { fitsDigest, readContentDigest, type ContentDigest } from "./content-digest.js";
import { MAX_CREDENTIAL, TOO_LONG, type Judge } from "./credential.js";
import { bad, type Accepted, type Bad, type Judgement, type Proof } from "./judgement.js";
import type { Component } from "./message-component.js";
import { CONTENT_DIGEST } from "./message-coverage.js";
import { readInput, signatureBase, type InputRules, type MessageInput } from "./message-input.js";
import type { MessageReplay } from "./message-replay.js";

const UNKNOWN_KEY = bad("the signature names no key of the policy");
const OTHER_ALGORITHM = bad("the signature names another algorithm than its key has");
const UNCOVERED = bad("the signature does not cover what it must");
const UNCOVERED_BODY = bad("the signature does not cover `content-digest`, and there is a body");
const NO_DIGEST = bad("`Content-Digest` is absent, malformed, or has neither SHA-256 nor SHA-512");
const OTHER_BODY = bad("the body is another one than `Content-Digest` says");
const NO_BYTES = bad("the body came as a value: a digest is over bytes");
const EARLY = bad("the signature was made in the future");
const OLD = bad("the signature is older than `maxAge`");
const EXPIRED = bad("the signature has expired");
const NO_NONCE = bad("the signature has no `nonce`");
const NO_VALUE = bad("the signature covers a component that the message does not have");
const BAD_SIGNATURE = bad("the signature does not verify");

export interface SignerKey {
  readonly algorithm: string;
  readonly verifier: SignatureVerifier;
  readonly accepted: Accepted;
}

export interface MessageParts {
  readonly name: string;
  readonly pointer: string;
  readonly input: InputRules;
  readonly keys: ReadonlyMap<string, SignerKey>;
  readonly covers: (components: readonly Component[]) => boolean;
  readonly toleranceMs: number;
  readonly maxAgeMs: number;
  readonly replay: "refuse" | "nonce" | "allow";
  readonly guard: MessageReplay;
  readonly platform: Pick<Platform, "sha256" | "sha512" | "sha256Hex" | "equalInConstantTime">;
  readonly clock: Clock;
}

export function messageJudge(parts: MessageParts): Judge {
  return (credential, state) => {
    if (credential.text.length > MAX_CREDENTIAL) return TOO_LONG;
    const input = readInput(credential.text, parts.input, state);
    if ("kind" in input) return input;
    const key = parts.keys.get(input.keyid);
    if (key === undefined) return UNKNOWN_KEY;
    const problem = problemOf(parts, input, key, state);
    if (problem !== undefined) return problem;
    const digest = digestOf(input, state);
    if (digest !== undefined && "kind" in digest) return digest;
    const base = signatureBase(input, state);
    if (base === undefined) return NO_VALUE;
    return verified(key.verifier, base, input.signature, parts.pointer, (good) =>
      good ? believe({ parts, input, key, base, digest }, state) : BAD_SIGNATURE,
    );
  };
}

function problemOf(
  parts: MessageParts,
  input: MessageInput,
  key: SignerKey,
  state: RequestState,
): Bad | undefined {
  if (input.alg !== undefined && input.alg !== key.algorithm) return OTHER_ALGORITHM;
  if (!parts.covers(input.components)) return UNCOVERED;
  if (parts.replay === "nonce" && (input.nonce ?? "") === "") return NO_NONCE;
  return timeProblem(parts, input, state.now);
}

/** Comparisons that NaN fails are written as what must hold. */
function timeProblem(
  { toleranceMs, maxAgeMs }: MessageParts,
  { created, expires }: MessageInput,
  now: number,
): Bad | undefined {
  if (!(created * 1000 <= now + toleranceMs)) return EARLY;
  if (!(now <= created * 1000 + maxAgeMs)) return OLD;
  return expires === undefined || now < expires * 1000 + toleranceMs ? undefined : EXPIRED;
}

/** Undefined: there is no body, and the signature says nothing of one. */
function digestOf(input: MessageInput, state: RequestState): ContentDigest | Bad | undefined {
  const covered = input.components.some(({ id }) => id === CONTENT_DIGEST);
  if (!covered) return state.request.hasContent ? UNCOVERED_BODY : undefined;
  const field = state.request.headers.get("content-digest");
  return (field === undefined ? undefined : readContentDigest(field)) ?? NO_DIGEST;
}

function verified(
  key: SignatureVerifier,
  base: string,
  signature: Uint8Array,
  rule: string,
  then: (good: boolean) => Judgement | Promise<Judgement>,
): Judgement | Promise<Judgement> {
  const good = key.verify(base, signature);
  if (typeof good === "boolean") return then(good);
  return good.then(then, (error: unknown): Fault => {
    return { kind: "fault", where: "code", reason: "the signature check failed to run", rule, error };
  });
}

interface Believed {
  readonly parts: MessageParts;
  readonly input: MessageInput;
  readonly key: SignerKey;
  readonly base: string;
  readonly digest: ContentDigest | undefined;
}

/** The head is as its signer sent it. Who has a body too must wait for it. */
function believe(believed: Believed, state: RequestState): Judgement | Promise<Judgement> {
  const { key, digest, parts, input } = believed;
  if (digest !== undefined) {
    const prove = (later: RequestState): Proof | Promise<Proof> => {
      if (later.bodyBytes === undefined) return NO_BYTES;
      if (!fitsDigest(digest, later.bodyBytes, parts.platform)) return OTHER_BODY;
      // Who lets the last bytes of a body wait could else outlast the memory.
      const now = parts.clock.now();
      return timeProblem(parts, input, now) ?? first(believed, now, later);
    };
    return { kind: "pending", claimed: key.accepted, prove };
  }
  const proof = first(believed, state.now, state);
  return proof instanceof Promise
    ? proof.then((settled) => settled ?? key.accepted)
    : (proof ?? key.accepted);
}

function first({ parts, input, base }: Believed, now: number, state: RequestState): Proof | Promise<Proof> {
  const { replay, guard, name, platform, toleranceMs, maxAgeMs } = parts;
  if (replay === "allow") return undefined;
  const what = replay === "nonce" ? JSON.stringify([input.keyid, input.nonce]) : base;
  const oldest = input.created * 1000 + maxAgeMs;
  const latest = input.expires === undefined ? oldest : Math.min(oldest, input.expires * 1000 + toleranceMs);
  return guard.first(`signature:${name}:${platform.sha256Hex(what)}`, latest - now, state);
}
