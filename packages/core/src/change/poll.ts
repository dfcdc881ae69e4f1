/** A policy that is fetched from time to time: over HTTPS, with `ETag`, at moments that a fleet does not share. */
import { platform } from "#platform";
import { checkOptions, duration, FUNCTION, having, type OptionTest, TEXT } from "../errors/options.js";
import { strictText } from "../lib/bytes.js";
import { inTime, isPromiseLike } from "../lib/deadline.js";
import { parseDuration } from "../lib/duration.js";
import { oneAfterAnother } from "../lib/in-turn.js";
import { namedUrl, outwardUrlProblem } from "../lib/outward-url.js";
import { Secret } from "../lib/secret.js";
import { later } from "../lib/timer.js";
import { outwardCall } from "../outward/call.js";
import type { Fetch, OutwardCall } from "../ports/outward.js";
import { bundleVerifier, type BundleTrust } from "./bundle.js";
import { type FollowedEngine, Follower, type BundleKeep, type PolicyTestRunner } from "./follower.js";
import {
  ProblemError,
  type FollowStatus,
  type PolicyChange,
  type PolicyFollower,
  type PolicyProblem,
} from "./report.js";

export interface FollowOptions {
  /** Only bundles that one of these keys has signed. Default: the policy itself, believed because of where it comes from. */
  readonly bundle?: BundleTrust;
  /** Keeps the last good bundle for the next start, and verifies it again then. Only with `bundle`. */
  readonly keep?: BundleKeep;
  /** Runs the tests that a bundle carries. Without it a bundle that carries some is refused. */
  readonly runTests?: PolicyTestRunner;
  /** A new policy is in force. */
  readonly onChange?: (change: PolicyChange) => void;
  /** A new policy is not in force, and why; told once as long as it stays the same. */
  readonly onProblem?: (problem: PolicyProblem) => void;
}

export interface PollOptions extends FollowOptions {
  /** Time from one look to the next, on average; after failures up to ten times as long. From `1s`; default `1m`. */
  readonly interval?: string;
  /** Part of `interval` by which each time differs at random, from 0 to 0.9. Default 0.2. */
  readonly jitter?: number;
  /** For one look, up to the last byte. Default `10s`. */
  readonly deadline?: string;
  /** Longest answer that is read, in bytes. Default 8 MiB. */
  readonly maxBytes?: number;
  /** Sent with every request, such as `Authorization`. A function is asked each time, so that a credential can be a fresh one. */
  readonly headers?: PollHeaders | (() => PollHeaders | Promise<PollHeaders>);
  /** What `file:` references of the policy are relative to. Default: the working directory. */
  readonly file?: string;
  /** Default: the platform's. It must honour `redirect: "manual"` and `signal`. */
  readonly fetch?: Fetch;
}

export type PollHeaders = Readonly<Record<string, string | Secret>>;

const OBJECT: OptionTest = ["an object", (value) => typeof value === "object" && value !== null];

export const FOLLOW_OPTIONS = {
  bundle: OBJECT,
  keep: having("load", "save"),
  runTests: FUNCTION,
  onChange: FUNCTION,
  onProblem: FUNCTION,
} as const satisfies Readonly<Record<keyof FollowOptions, OptionTest>>;

const POLL_OPTIONS = {
  ...FOLLOW_OPTIONS,
  interval: duration("7d", "1s"),
  jitter: ["a number from 0 to 0.9", (value) => typeof value === "number" && value >= 0 && value <= 0.9],
  deadline: duration("10m", "1ms"),
  maxBytes: ["a whole number from 1", (value) => Number.isSafeInteger(value) && Number(value) >= 1],
  headers: ["an object or a function", (value) => OBJECT[1](value) || typeof value === "function"],
  file: TEXT,
  fetch: FUNCTION,
} as const satisfies Readonly<Record<keyof PollOptions, OptionTest>>;

const LONGEST_WAIT = 10;
const MAX_BYTES = 8 * 1024 * 1024;

/** What the door of this room says. */
export async function pollPolicy(
  engine: FollowedEngine,
  url: string,
  options: PollOptions = {},
): Promise<PolicyFollower> {
  checkOptions(options, "pollPolicy", POLL_OPTIONS);
  const problem = outwardUrlProblem(url);
  if (problem !== undefined) throw new TypeError(`the URL of \`pollPolicy\` ${problem}`);
  const follower = await followerFor("pollPolicy", engine, options, { file: options.file, tests: [] });
  return new Poll(follower, url, options);
}

/** @throws TypeError (rejects) where `keep` has nothing to keep */
export async function followerFor(
  of: string,
  engine: FollowedEngine,
  options: FollowOptions,
  more: { readonly file: string | undefined; readonly tests: readonly (object | string)[] },
): Promise<Follower> {
  const { bundle, keep, runTests, onChange, onProblem } = options;
  if (keep !== undefined && bundle === undefined) {
    throw new TypeError(
      `\`keep\` of \`${of}\` is for signed bundles: what lies on a disk is believed for its signature`,
    );
  }
  const verifier = bundle === undefined ? undefined : await bundleVerifier(bundle);
  const now = (): number => Date.now();
  const part = of === "pollPolicy" ? "poll" : "watch";
  return new Follower({ part, engine, verifier, keep, runTests, onChange, onProblem, now, ...more });
}

class Poll implements PolicyFollower {
  readonly ready: Promise<void>;
  readonly #end = new AbortController();
  readonly #inTurn = oneAfterAnother();
  readonly #call: OutwardCall;
  readonly #intervalMs: number;
  #etag: string | undefined = undefined;
  #failures = 0;
  #next: (() => void) | undefined = undefined;

  constructor(
    private readonly follower: Follower,
    private readonly url: string,
    private readonly options: PollOptions,
  ) {
    this.#call = outwardCall(options.fetch, this.#end.signal, platform);
    this.#intervalMs = parseDuration(options.interval ?? "1m") ?? 60_000;
    this.ready = this.begin();
  }

  get status(): FollowStatus {
    return this.follower.status;
  }

  check(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.follower.closed) return;
      this.#next?.();
      try {
        await this.look();
      } catch (error) {
        const message = error instanceof ProblemError ? error.message : "the policy could not be asked for";
        this.failed(message);
      }
      if (!this.follower.closed) this.#next = later(this.wait(), () => void this.check());
    });
  }

  close(): void {
    this.follower.close();
    this.#next?.();
    this.#end.abort();
  }

  private async begin(): Promise<void> {
    await this.follower.begin();
    await this.check();
  }

  private wait(): number {
    const { jitter = 0.2 } = this.options;
    const longer = Math.min(2 ** this.#failures, LONGEST_WAIT);
    return this.#intervalMs * longer * (1 + jitter * (2 * Math.random() - 1));
  }

  private failed(message: string): void {
    this.#failures += 1;
    this.follower.fail({ reason: "unreachable", message, from: "source" });
  }

  private async look(): Promise<void> {
    const { deadline = "10s", maxBytes = MAX_BYTES } = this.options;
    const deadlineMs = parseDuration(deadline) ?? 10_000;
    const [etag, began] = [this.#etag, performance.now()];
    const headers = await this.headers(etag, deadlineMs);
    const leftMs = Math.max(1, Math.ceil(deadlineMs - (performance.now() - began)));
    const answer = await this.#call({ url: this.url, headers, maxBytes, deadlineMs: leftMs });
    if (answer.kind === "failure") return this.failed(answer.reason);
    if (answer.status === 304 && etag !== undefined) {
      this.#failures = 0;
      return this.follower.unchanged();
    }
    if (answer.status !== 200) return this.failed(`${namedUrl(this.url)} answered with ${answer.status}`);
    const text = strictText(answer.body);
    if (text === undefined) return this.failed(`${namedUrl(this.url)} answered with what is no UTF-8 text`);
    const good = await this.follower.offer(text);
    this.#failures = good ? 0 : this.#failures + 1;
    // Of an answer that was not taken nothing is remembered: it is asked for again, in case what it lacked is there by then.
    this.#etag = good ? etagOf(answer.header("etag")) : undefined;
  }

  private async headers(etag: string | undefined, deadlineMs: number): Promise<Record<string, string>> {
    const { headers } = this.options;
    const given = typeof headers === "function" ? headers() : headers;
    const own = isPromiseLike(given) ? ((await inTime(given, deadlineMs, late)) as PollHeaders) : given;
    const sent: Record<string, string> = { Accept: "application/json" };
    for (const [name, value] of Object.entries(own ?? {})) {
      sent[name] = value instanceof Secret ? (strictText(value.reveal()) ?? "") : value;
    }
    if (etag !== undefined) sent["If-None-Match"] = etag;
    return sent;
  }
}

function late(): ProblemError {
  return new ProblemError("unreachable", "the `headers` of `pollPolicy` were not there in time");
}

/** RFC 9110 section 8.8.3. Anything else is no tag, and is not sent back. */
function etagOf(field: string | undefined): string | undefined {
  return field !== undefined && field.length <= 256 && /^(?:W\/)?"[\x21\x23-\x7e]*"$/u.test(field)
    ? field
    : undefined;
}
