/**
 * A candidate beside the policy that serves. It is asked after the answer went out, one request at a time, with a store of its own:
 * nothing that it says, counts or breaks reaches a request.
 */
import type { CompiledPolicy } from "../compile/compile.js";
import { PolicyExchange, type Exchange, type ExchangeServices } from "../exchange.js";
import { heardBy } from "../lib/heard.js";
import { later } from "../lib/timer.js";
import type { FrameworkMatching, Router } from "../match/router.js";
import type { DecisionEvent } from "../model/decision.js";
import type { RawBody, RawRequest } from "../model/request.js";
import { GivenAnswers } from "./answers.js";
import { differenceOf, unknownOf, type ShadowDifference } from "./difference.js";
import { RecordedExchange, type Recording } from "./recording.js";

export interface ShadowOptions {
  /** The candidate would have said something else, or nobody knows what. */
  readonly onDifference: (difference: ShadowDifference) => void;
  /** Part of all requests that the candidate is asked about, above 0 up to 1. Default 1. */
  readonly sample?: number;
  /**
   * Checks, lookups and custom authenticators that the candidate asks. `reuse` (default): they are not called; what they answered while the
   * request was served stands, where they were asked about the same. `call`: they are called a second time. Servers that are told of a
   * credential, as in introspection, are asked by `call` alone too.
   */
  readonly code?: "reuse" | "call";
}

export interface ShadowStatus {
  /** Of the candidate. */
  readonly revision: string;
  /** Requests that both policies were asked about, and those of them of which they said something else. */
  readonly compared: number;
  readonly different: number;
  /** Requests that the candidate could not be asked about: it reads or asks what was not there. */
  readonly unknown: number;
  /** Requests that were left out, because too many were waiting, or the client left before an answer. */
  readonly skipped: number;
  /** Requests on which the comparison itself broke. */
  readonly failed: number;
}

export interface ShadowParts {
  readonly services: ExchangeServices;
  readonly options: ShadowOptions;
  readonly routerOf: (policy: CompiledPolicy, matching: FrameworkMatching) => Router;
}

interface Waiting {
  readonly matching: FrameworkMatching;
  readonly recording: Recording;
  readonly event: DecisionEvent;
}

/** What waits holds bodies in memory; more than this is no sample but a backlog. */
const MOST_WAITING = 100;

export class Shadow {
  #compared = 0;
  #different = 0;
  #unknown = 0;
  #skipped = 0;
  #failed = 0;
  #routers = new Map<FrameworkMatching, Router>();
  readonly #waiting: Waiting[] = [];
  #cancel: (() => void) | undefined = undefined;
  #asking: GivenAnswers | undefined = undefined;
  #closed = false;

  constructor(
    private policy: CompiledPolicy,
    private readonly parts: ShadowParts,
  ) {}

  get status(): ShadowStatus {
    return Object.freeze({
      revision: this.policy.revision,
      compared: this.#compared,
      different: this.#different,
      unknown: this.#unknown,
      skipped: this.#skipped,
      failed: this.#failed,
    });
  }

  /** The candidate again, with other secrets. */
  follow(policy: CompiledPolicy): void {
    this.policy = policy;
    this.#routers = new Map();
  }

  /** The request that is being compared wants to know what only somebody outside could tell. */
  lacks(what: string): void {
    if (this.#asking !== undefined) this.#asking.unknown ??= what;
  }

  /** Undefined: this request is no part of the sample. */
  beside(
    policy: CompiledPolicy,
    router: Router,
    raw: RawRequest,
    matching: FrameworkMatching,
  ): Exchange | undefined {
    const { sample = 1 } = this.parts.options;
    if (this.#closed || (sample < 1 && Math.random() >= sample)) return undefined;
    return new RecordedExchange(policy, router, raw, this.parts.services, (recording, event) =>
      this.submit({ matching, recording, event }),
    );
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
    this.#waiting.length = 0;
  }

  private submit(one: Waiting): void {
    if (this.#closed) return;
    if (this.#waiting.length >= MOST_WAITING || one.event.outcome === "aborted") {
      this.#skipped += 1;
      return;
    }
    this.#waiting.push(one);
    this.schedule();
  }

  /** A turn of its own for each: the server's work goes on between two of them. */
  private schedule(): void {
    if (this.#cancel !== undefined || this.#closed) return;
    this.#cancel = later(0, () => void this.next());
  }

  private async next(): Promise<void> {
    const one = this.#waiting.shift();
    if (one !== undefined) {
      try {
        this.tell(await this.compare(one));
      } catch {
        this.#failed += 1;
      }
    }
    this.#cancel = undefined;
    if (this.#waiting.length > 0) this.schedule();
  }

  private tell(difference: ShadowDifference | undefined): void {
    if (this.#closed) return;
    if (difference?.candidate.outcome === "unknown") this.#unknown += 1;
    else this.#compared += 1;
    if (difference === undefined) return;
    if (difference.candidate.outcome !== "unknown") this.#different += 1;
    heardBy(this.parts.options.onDifference, difference);
  }

  private async compare({ matching, recording, event }: Waiting): Promise<ShadowDifference | undefined> {
    const { policy } = this;
    const given = new GivenAnswers(recording.answers.written);
    let told: DecisionEvent | undefined;
    const exchange = new PolicyExchange(policy, this.routerFor(policy, matching), recording.raw, {
      ...this.parts.services,
      tracing: false,
      now: () => event.time,
      monotonic: () => recording.monotonic,
      onDecision: (candidate) => void (told = candidate),
      sinks: [],
      ...(this.parts.options.code !== "call" && { answers: given }),
    });
    this.#asking = given;
    const missing = await ask(exchange, recording.body, event.status).finally(
      () => (this.#asking = undefined),
    );
    const reason = given.unknown === undefined ? missing : `${given.unknown} was not asked about the same`;
    if (told === undefined) throw new Error("the candidate said nothing");
    if (reason === undefined) return differenceOf(event, told);
    return unknownOf(event, { revision: policy.revision, route: told.route, reason });
  }

  private routerFor(policy: CompiledPolicy, matching: FrameworkMatching): Router {
    const known = this.#routers.get(matching);
    if (known !== undefined) return known;
    const router = this.parts.routerOf(policy, matching);
    this.#routers.set(matching, router);
    return router;
  }
}

/** @returns what the candidate lacked to decide */
async function ask(
  exchange: PolicyExchange,
  body: RawBody | undefined,
  servedStatus: number,
): Promise<string | undefined> {
  try {
    const head = await exchange.head();
    if (head.outcome === "continue") {
      if (body === undefined || "taken" in body) return "the body was not read";
      if ("bytes" in body && !body.complete && body.bytes.length < head.bodyLimit) {
        return "the body was not read to its end";
      }
    }
    const decision = head.outcome === "continue" ? await exchange.body(body as RawBody) : head;
    exchange.end(decision.outcome === "admit" ? servedStatus : decision.status);
    return undefined;
  } finally {
    exchange.end(0);
  }
}
