/** API keys: high entropy, kept and compared as SHA-256. */
import type { Fault } from "../../model/outcome.js";
import type { RequestState } from "../../model/state.js";
import type { ApiKeyLookup } from "../../ports/application.js";
import type { Platform } from "../../ports/platform.js";
import { compileRecord, EXPIRED_KEY, recordProblems, type CompiledRecord } from "./api-key-records.js";
import { MAX_CREDENTIAL, TOO_LONG, type Credential, type Judge } from "./credential.js";
import { isPromiseLike } from "../../lib/deadline.js";
import { withDeadline } from "./deadline.js";
import type { FailureGuard } from "./failure-guard.js";
import type { IdentityMaker } from "./identity.js";
import { bad, type Judgement } from "./judgement.js";

const EMPTY = bad("the API key is empty");
const UNKNOWN = bad("the API key is unknown");
const OTHER_PREFIX = bad("the API key does not begin as keys here do");
const OTHER_ROUTE = bad("the API key is not for this route");

type Equal = Platform["equalInConstantTime"];

/**
 * Keys are found by the first four bytes of the digest, and compared by all of it in constant time. How long the finding
 * takes tells at most something about digests, which nobody can turn back into keys.
 */
export function listedKeyJudge(records: readonly CompiledRecord[], equal: Equal, prefix?: string): Judge {
  const byPrefix = new Map<number, CompiledRecord[]>();
  for (const record of records) {
    if (record.digest === undefined) continue;
    const prefix = prefixOf(record.digest);
    byPrefix.set(prefix, [...(byPrefix.get(prefix) ?? []), record]);
  }
  return (credential, state) => {
    const problem = formProblem(credential, prefix);
    if (problem !== undefined) return problem;
    const digest = credential.digestBytes;
    for (const record of byPrefix.get(prefixOf(digest)) ?? NO_RECORDS) {
      if (record.digest !== undefined && equal(digest, record.digest)) return judgeRecord(record, state);
    }
    return UNKNOWN;
  };
}

const NO_RECORDS: readonly CompiledRecord[] = [];

function prefixOf(digest: Uint8Array): number {
  return ((digest[0] ?? 0) << 24) | ((digest[1] ?? 0) << 16) | ((digest[2] ?? 0) << 8) | (digest[3] ?? 0);
}

/** The prefix is no secret: it tells kinds of keys apart, here and in what scans for leaked ones. */
function formProblem(credential: Credential, prefix: string | undefined): Judgement | undefined {
  if (credential.text === "") return EMPTY;
  if (prefix !== undefined && !credential.text.startsWith(prefix)) return OTHER_PREFIX;
  return credential.text.length > MAX_CREDENTIAL ? TOO_LONG : undefined;
}

function judgeRecord(record: CompiledRecord, state: RequestState): Judgement {
  if (state.now >= record.expires) return EXPIRED_KEY;
  if (record.routes !== undefined && !record.routes.has(state.route.key)) return OTHER_ROUTE;
  return record.accepted;
}

export interface LookupParts {
  /** As the policy writes it. */
  readonly name: string;
  readonly pointer: string;
  readonly identify: IdentityMaker;
  readonly equal: Equal;
  readonly guard: FailureGuard;
  readonly prefix: string | undefined;
}

/** Keys that application code finds. A record that it gets wrong is a fault, not a refusal: the caller did nothing amiss. */
export function lookupKeyJudge(lookup: ApiKeyLookup, parts: LookupParts): Judge {
  const { name, pointer, identify, equal, guard, prefix } = parts;
  const fault = (reason: string, error?: unknown): Fault => ({
    kind: "fault",
    where: "code",
    reason,
    rule: pointer,
    error,
  });
  const judgeFound = (found: unknown, credential: Credential, state: RequestState): Judgement => {
    if (found === undefined || found === null) return UNKNOWN;
    const [problem] = recordProblems(found, false);
    if (problem !== undefined) return fault(`the lookup's record is malformed: ${problem.problem}`);
    const record = compileRecord(found, identify);
    if (record === undefined) return UNKNOWN;
    if (record.digest !== undefined && !equal(credential.digestBytes, record.digest)) {
      return fault("the lookup's record is of another key");
    }
    return judgeRecord(record, state);
  };
  const find = (credential: Credential, state: RequestState): Judgement | Promise<Judgement> => {
    let found: unknown;
    try {
      const { answers } = state;
      const { digest } = credential;
      found =
        answers === undefined ? lookup(digest) : answers.ask(`lookup ${name}`, digest, () => lookup(digest));
    } catch (error) {
      return fault("the lookup threw", error);
    }
    if (!isPromiseLike(found)) return judgeFound(found, credential, state);
    return withDeadline(found, pointer, "the lookup").then((outcome) =>
      "fault" in outcome ? outcome.fault : judgeFound(outcome.value, credential, state),
    );
  };
  return (credential, state) =>
    formProblem(credential, prefix) ?? guard.run(state, () => find(credential, state));
}
