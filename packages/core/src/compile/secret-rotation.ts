/** Secrets that change while serving: read again, put in force together, and the old ones ended when their time is over. */
import { PolicyError } from "../errors/diagnostics.js";
import type { Secret } from "../lib/secret.js";
import { later } from "../lib/timer.js";
import type { SecretSource } from "../ports/secrets.js";
import type { DraftMode, SecretDraft, SecretKeeper } from "./secret-keeper.js";

/**
 * What happened to secrets while serving, and to sets of public keys in files. References are named, values never; a file is named
 * `jwks PATH`.
 */
export type SecretsEvent =
  | {
      /** New values are in force; the old ones verify for `secretOverlap` more, but for lists of API keys and sets of public keys. */
      readonly outcome: "rotated";
      readonly references: readonly string[];
    }
  | {
      /** Old values verify no more. */
      readonly outcome: "retired";
    }
  | {
      /** The new value could not be read, or nothing can be done with it: the old one stays in force, and it is tried again. */
      readonly outcome: "kept";
      readonly references: readonly string[];
      readonly reason: string;
    }
  | {
      /** It is used, and its place is not as it should be. */
      readonly outcome: "exposed";
      readonly references: readonly string[];
      readonly reason: string;
    };

/** An editor or a volume that changes several files tells of each. */
const SETTLE_MS = 50;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 300_000;

export interface SecretProblem {
  readonly references: readonly string[];
  readonly reason: string;
}

export interface RotationParts {
  readonly source: SecretSource | undefined;
  readonly keeper: SecretKeeper;
  readonly overlapMs: number;
  /**
   * Compiles the policy in force with the secrets of a draft and swaps it in, unless they are the same as before.
   * @throws PolicyError (rejects) where nothing can be done with a new value
   */
  readonly recompile: (mode: DraftMode) => Promise<SecretDraft>;
  readonly tell: (event: SecretsEvent) => void;
}

export class SecretRotation {
  #unwatch: (() => void) | undefined = undefined;
  readonly #retirements = new Set<() => void>();
  #attempt: (() => void) | undefined = undefined;
  #retryMs = FIRST_RETRY_MS;
  #watched = "";
  #told = "";
  #problem: SecretProblem | undefined = undefined;
  readonly #concerned = new Set<string>();
  #closed = false;

  constructor(private readonly parts: RotationParts) {}

  /** What stays as it was although it should not; undefined where all is as it should be. */
  get problem(): SecretProblem | undefined {
    return this.#problem;
  }

  /** After a draft came into force: its references are watched, and what it replaced is given its time. */
  follow(draft: SecretDraft): void {
    if (this.#closed) return;
    const replaced = this.parts.keeper.commit(draft);
    if (replaced.length > 0) this.retireLater(replaced);
    this.watch(draft);
    void this.voiceConcerns(draft);
  }

  close(): void {
    this.#closed = true;
    this.unwatch();
    this.#attempt?.();
    for (const cancel of this.#retirements) cancel();
  }

  private watch(draft: SecretDraft): void {
    const { source } = this.parts;
    const references = [...draft.taken.keys()].sort();
    const watched = JSON.stringify([references, draft.baseFile]);
    if (watched === this.#watched) return;
    this.unwatch();
    this.#watched = watched;
    if (references.length === 0 || source?.watch === undefined) return;
    try {
      this.#unwatch = source.watch(references, () => this.attempt(SETTLE_MS), draft.baseFile);
    } catch {
      this.kept(references, "the source of secrets cannot be watched");
    }
  }

  private unwatch(): void {
    try {
      this.#unwatch?.();
    } catch {
      // The source's own fault: a swap that is half made, or an engine half closed, would be ours.
    }
    this.#unwatch = undefined;
  }

  private attempt(delay: number): void {
    if (this.#closed) return;
    this.#attempt?.();
    this.#attempt = later(delay, () => {
      this.#attempt = undefined;
      void this.rotate("again");
    });
  }

  /** Never rejects. */
  private async rotate(mode: DraftMode): Promise<void> {
    const { due } = this.parts.keeper;
    try {
      const draft = await this.parts.recompile(mode);
      if (this.#closed) return;
      if (due) this.parts.tell({ outcome: "retired" });
      if (draft.changed.length > 0) this.parts.tell({ outcome: "rotated", references: draft.changed });
      if (mode === "held") return;
      if (draft.kept.size === 0) return this.settle();
      this.kept([...draft.kept.keys()], [...new Set(draft.kept.values())].join("; "));
    } catch (error) {
      this.kept([], error instanceof PolicyError ? error.message : "the policy could not be compiled again");
    }
  }

  private settle(): void {
    this.#told = "";
    this.#problem = undefined;
    this.#retryMs = FIRST_RETRY_MS;
  }

  /** Told once, and tried again more and more rarely. */
  private kept(references: readonly string[], reason: string): void {
    if (this.#closed) return;
    if (reason !== this.#told) this.parts.tell({ outcome: "kept", references, reason });
    this.#told = reason;
    this.#problem = { references, reason };
    if (this.#attempt === undefined) this.attempt(this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }

  private retireLater(replaced: readonly Secret[]): void {
    const cancel = later(this.parts.overlapMs, () => {
      this.#retirements.delete(cancel);
      // What is due stays due: should this fail, the next attempt ends it.
      if (this.parts.keeper.expire(replaced)) void this.rotate("held");
    });
    this.#retirements.add(cancel);
  }

  private async voiceConcerns(draft: SecretDraft): Promise<void> {
    const { source } = this.parts;
    if (source?.concern === undefined) return;
    for (const reference of draft.taken.keys()) {
      try {
        const reason = await source.concern(reference, draft.baseFile);
        const known = this.#concerned.has(reference);
        if (reason === undefined) this.#concerned.delete(reference);
        else if (!known && !this.#closed) {
          this.#concerned.add(reference);
          this.parts.tell({ outcome: "exposed", references: [reference], reason });
        }
      } catch {
        // What cannot be read is told where it is read.
      }
    }
  }
}
