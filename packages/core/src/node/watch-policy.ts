/** A policy file that is followed. */
import { readTextFile, watchFiles } from "#platform";
import { followerFor, FOLLOW_OPTIONS, type FollowOptions } from "../change/poll.js";
import type { FollowedEngine, Follower } from "../change/follower.js";
import type { FollowStatus, PolicyFollower } from "../change/report.js";
import { checkOptions, duration, type OptionTest } from "../errors/options.js";
import { parseDuration } from "../lib/duration.js";
import { oneAfterAnother } from "../lib/in-turn.js";
import { later } from "../lib/timer.js";
import { policyTests } from "./policy-tests.js";

export interface WatchOptions extends FollowOptions {
  /** Paths of `*.policy-test.json`: a policy that fails one of them is not put in force. Beside those that a bundle carries. */
  readonly tests?: readonly string[];
  /** Quiet that is waited for after a change, so that a file is not read while it is written. Default `100ms`. */
  readonly settle?: string;
  /** How often the file is looked at although nothing was told, as on mounts that tell nothing. Default `10s`. */
  readonly interval?: string;
}

const WATCH_OPTIONS = {
  ...FOLLOW_OPTIONS,
  tests: [
    "a list of paths",
    (value) => Array.isArray(value) && value.every((one) => typeof one === "string"),
  ],
  settle: duration("10s", "1ms"),
  interval: duration("1d", "100ms"),
} as const satisfies Readonly<Record<keyof WatchOptions, OptionTest>>;

const LONGEST_RETRY_MS = 300_000;

/**
 * Follows a policy file, or with `bundle` a file that holds a signed bundle. Editors that put another file in its place, volumes of
 * Kubernetes that swap a link, and files that are half written are all met; whatever is wrong, the policy in force stays, `onProblem` is
 * told, and it goes on watching.
 * @throws TypeError (rejects) where an option is wrong
 * @throws Error (rejects) where a pinned key cannot be used
 */
export async function watchPolicy(
  engine: FollowedEngine,
  file: string,
  options: WatchOptions = {},
): Promise<PolicyFollower> {
  checkOptions(options, "watchPolicy", WATCH_OPTIONS);
  const { tests = [], settle = "100ms", interval = "10s", runTests = policyTests } = options;
  const follower = await followerFor("watchPolicy", engine, { ...options, runTests }, { file, tests });
  const settleMs = parseDuration(settle) ?? 100;
  const intervalMs = parseDuration(interval) ?? 10_000;
  return new Watch(follower, file, { settleMs, intervalMs }, tests);
}

class Watch implements PolicyFollower {
  readonly ready: Promise<void>;
  readonly #inTurn = oneAfterAnother();
  readonly #unwatch: () => void;
  #retry: (() => void) | undefined = undefined;
  #failures = 0;

  constructor(
    private readonly follower: Follower,
    private readonly file: string,
    private readonly times: { readonly settleMs: number; readonly intervalMs: number },
    tests: readonly string[],
  ) {
    this.ready = this.begin();
    this.#unwatch = watchFiles([file, ...tests], () => void this.check(), times);
  }

  get status(): FollowStatus {
    return this.follower.status;
  }

  check(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.follower.closed) return;
      this.#retry?.();
      const good = await this.look();
      this.#failures = good ? 0 : this.#failures + 1;
      // What it lacked may come without a change of the file: a secret, a key set beside it.
      if (!good && !this.follower.closed) this.#retry = later(this.wait(), () => void this.check());
    });
  }

  close(): void {
    this.follower.close();
    this.#unwatch();
    this.#retry?.();
  }

  private async begin(): Promise<void> {
    await this.follower.begin();
    await this.check();
  }

  private wait(): number {
    return Math.min(this.times.intervalMs * 2 ** Math.min(this.#failures, 20), LONGEST_RETRY_MS);
  }

  private async look(): Promise<boolean> {
    let text: string;
    try {
      text = await readTextFile(this.file);
    } catch (error) {
      this.follower.fail({ reason: "unreadable", message: whyUnreadable(error), from: "source" });
      return false;
    }
    return this.follower.offer(text);
  }
}

function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
  return `the policy file cannot be read${code}`;
}
