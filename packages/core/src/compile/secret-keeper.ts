/** The secrets and key files that an engine has read, and the secrets that they replaced and that still verify. */
import { inTime, isPromiseLike } from "../lib/deadline.js";
import { Secret } from "../lib/secret.js";
import { filePath } from "./key-files.js";
import { SecretError, type SecretSource, type SecretValue } from "../ports/secrets.js";

/** What one reference leads to. */
export type Reading = { readonly secret: Secret } | { readonly problem: string };

/** The secrets of one load: each is read once, so that no part of a policy sees another value than the next. */
export interface SecretReader {
  /** The policy is in force already, and is compiled for its secrets alone. */
  readonly again: boolean;
  read(reference: string): Promise<Reading>;
  /** Those that `reference` led to before and that still verify, newest first. */
  former(reference: string): Promise<readonly Secret[]>;
}

interface Held {
  readonly secret: Secret;
  readonly former: readonly Secret[];
}

const NONE: readonly Secret[] = [];

/** What waits in turn behind a source that never answers is a replaced secret too, which would go on verifying. */
const PATIENCE_MS = 10_000;

/**
 * `new`: every secret is read, and must be there: for a policy that somebody hands in.
 * `again`: what was read before stands in for what cannot be read now, so that nothing is lost because a disk or a vault is away.
 * `held`: nothing is read that was read before.
 */
export type DraftMode = "new" | "again" | "held";

export class SecretKeeper {
  #held: ReadonlyMap<string, Held> = new Map();
  #baseFile: string | undefined = undefined;
  #due: readonly Secret[] = NONE;

  /** @param overlaps false: what is replaced ends at once */
  constructor(
    private readonly source: SecretSource | undefined,
    private readonly overlaps: boolean,
  ) {}

  get due(): boolean {
    return this.#due.length > 0;
  }

  draft(mode: DraftMode, baseFile: string | undefined): SecretDraft {
    const before = new Map<string, Held>();
    for (const [reference, { secret, former }] of this.#held) {
      // Relative to another file the same reference is another secret, and the one does not follow the other.
      if (baseFile !== this.#baseFile && !reference.startsWith("env:")) continue;
      before.set(reference, { secret, former: former.filter((one) => !this.#due.includes(one)) });
    }
    return new SecretDraft(this.source, mode, baseFile, before, this.overlaps);
  }

  /** From here on these are the secrets that are held. @returns values that verify only for a while now */
  commit(draft: SecretDraft): readonly Secret[] {
    const known = new Set([...this.#held.values()].flatMap(({ former }) => former));
    this.#held = draft.taken;
    this.#baseFile = draft.baseFile;
    // What became due while the draft was made stands in it still.
    this.#due = this.#due.filter((one) => this.#holds(one));
    return [...this.#held.values()].flatMap(({ former }) => former.filter((one) => !known.has(one)));
  }

  /** No draft that is made from here on lets these verify. @returns whether any of them is still held */
  expire(secrets: readonly Secret[]): boolean {
    const held = secrets.filter((one) => this.#holds(one));
    this.#due = [...this.#due, ...held];
    return held.length > 0;
  }

  #holds(secret: Secret): boolean {
    return [...this.#held.values()].some(({ former }) => former.includes(secret));
  }
}

export class SecretDraft implements SecretReader {
  readonly #readings = new Map<string, Promise<Reading>>();
  readonly #taken = new Map<string, Held>();
  /** References whose earlier value stands in, and why. */
  readonly kept = new Map<string, string>();
  /** References that lead to another value than before. */
  readonly changed: string[] = [];
  #asked = new Map<string, Promise<Reading>>();

  constructor(
    private readonly source: SecretSource | undefined,
    private readonly mode: DraftMode,
    readonly baseFile: string | undefined,
    private readonly before: ReadonlyMap<string, Held>,
    private readonly overlaps: boolean,
    private readonly left: ReadonlySet<string> = new Set(),
  ) {}

  get again(): boolean {
    return this.mode !== "new";
  }

  /** The same values, none of them read again; what `references` led to before stands in for what they lead to now. */
  async without(references: readonly string[]): Promise<SecretDraft> {
    if (references.length === 0) return this;
    const left = new Set([...this.left, ...references]);
    const draft = new SecretDraft(this.source, this.mode, this.baseFile, this.before, this.overlaps, left);
    draft.#asked = this.#asked;
    await draft.refresh();
    return draft;
  }

  get taken(): ReadonlyMap<string, Held> {
    return this.#taken;
  }

  /** Reads what was read before. @returns whether any of it differs */
  async refresh(): Promise<boolean> {
    for (const reference of this.before.keys()) await this.read(reference);
    return this.changed.length > 0;
  }

  read(reference: string): Promise<Reading> {
    let reading = this.#readings.get(reference);
    if (reading === undefined) this.#readings.set(reference, (reading = this.take(reference)));
    return reading;
  }

  async former(reference: string): Promise<readonly Secret[]> {
    await this.read(reference);
    return this.#taken.get(reference)?.former ?? NONE;
  }

  private async take(reference: string): Promise<Reading> {
    const held = this.before.get(reference);
    if (held !== undefined && (this.mode === "held" || this.left.has(reference))) {
      this.#taken.set(reference, held);
      return { secret: held.secret };
    }
    const reading = await this.answerOf(reference);
    if ("problem" in reading) {
      if (held === undefined || this.mode === "new") return reading;
      this.kept.set(reference, reading.problem);
      this.#taken.set(reference, held);
      return { secret: held.secret };
    }
    this.#taken.set(reference, this.following(reference, held, reading.secret));
    return reading;
  }

  private following(reference: string, held: Held | undefined, secret: Secret): Held {
    if (held === undefined) return { secret, former: NONE };
    if (held.secret.equals(secret)) return held;
    this.changed.push(reference);
    // A set of keys is replaced whole, like any list: what was taken out is meant to end.
    if (!this.overlaps || filePath(reference) !== undefined) return { secret, former: NONE };
    // A value that comes back is the current one again, and no former one.
    return { secret, former: [held.secret, ...held.former].filter((one) => !one.equals(secret)) };
  }

  private answerOf(reference: string): Promise<Reading> {
    let asked = this.#asked.get(reference);
    if (asked === undefined) this.#asked.set(reference, (asked = this.ask(reference)));
    return asked;
  }

  private async ask(reference: string): Promise<Reading> {
    if (this.source === undefined) return { problem: `no source of secrets for \`${reference}\`` };
    const path = filePath(reference);
    let secret: Secret;
    try {
      const given = this.source.get(reference, this.baseFile);
      const found = isPromiseLike(given) ? await inTime(given, PATIENCE_MS, overdue) : given;
      if (found === undefined) return { problem: `secret \`${reference}\` is not set` };
      secret = Secret.of(found as SecretValue);
    } catch (error) {
      if (path !== undefined) return { problem: `\`${path}\` cannot be read` };
      // Any other message may quote the secret or its place on disk: only the reference is named.
      const why = error instanceof SecretError ? `: ${error.message}` : "";
      return { problem: `the source of secrets failed on \`${reference}\`${why}` };
    }
    const what = path === undefined ? `secret \`${reference}\`` : `\`${path}\``;
    return secret.empty ? { problem: `${what} is empty` } : { secret };
  }
}

function overdue(): SecretError {
  return new SecretError(`it did not answer within ${PATIENCE_MS / 1000} s`);
}
