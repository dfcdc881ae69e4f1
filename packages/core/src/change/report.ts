/** What is told of a policy that is followed from somewhere. */
import type { Diagnostic } from "../errors/diagnostics.js";

/** A new policy is in force. */
export interface PolicyChange {
  /** SHA-256 of the canonical document that is in force now, and of the one before. */
  readonly revision: string;
  readonly previous: string;
  /** Number of the signed bundle; undefined for a policy that came without one. */
  readonly bundle: number | undefined;
  /** `kept`: the last good bundle, from before this process was started. */
  readonly from: "source" | "kept";
}

/**
 * `unreadable`: the file cannot be read. `unreachable`: no answer that could be used. `malformed`: no policy, or no bundle. `untrusted`:
 * no pinned key signed it, or it is for another policy. `rolled-back`: an older bundle than one that was in force. `refused`: it cannot be
 * served. `tests-failed`: its own tests. `not-kept`: it is in force, and could not be kept for the next start. `failed`: something else.
 */
export type PolicyProblemReason =
  | "unreadable"
  | "unreachable"
  | "malformed"
  | "untrusted"
  | "rolled-back"
  | "refused"
  | "tests-failed"
  | "not-kept"
  | "failed";

/** Why a new policy is not in force. The old one is. */
export interface PolicyProblem {
  readonly reason: PolicyProblemReason;
  readonly message: string;
  /** Of a document that cannot be parsed or served. */
  readonly diagnostics?: readonly Diagnostic[];
  readonly from: "source" | "kept";
}

export interface FollowStatus {
  /** `starting`: nothing was looked at yet. `failing`: what was seen last is not in force, see `problem`. */
  readonly state: "starting" | "current" | "failing" | "closed";
  /** Of the policy in force. */
  readonly revision: string;
  /** Number of the bundle in force. */
  readonly bundle: number | undefined;
  /** Milliseconds since the epoch: when the source was last read, and when a policy of its came into force. */
  readonly checkedAt: number | undefined;
  readonly changedAt: number | undefined;
  readonly problem: PolicyProblem | undefined;
}

/** A policy that is being followed. */
export interface PolicyFollower {
  /** Resolves when the source was looked at for the first time, whatever came of it; `status` tells. Never rejects. */
  readonly ready: Promise<void>;
  readonly status: FollowStatus;
  /** Looks now. Never rejects. */
  check(): Promise<void>;
  /** Ends it; what is under way is not put in force any more. The policy in force stays. */
  close(): void;
}

/** Thrown on the way, told as a problem. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";

  constructor(
    readonly reason: PolicyProblemReason,
    message: string,
    readonly diagnostics?: readonly Diagnostic[],
  ) {
    super(message);
  }
}
