/** Runs the application's checks: only true passes, false refuses, anything else, a throw or 2 s without an answer is a fault. */
import { isPromiseLike } from "../../lib/deadline.js";
import { PASS } from "../../model/outcome.js";
import type { Fault, Refusal, Verdict } from "../../model/outcome.js";
import type { Principal } from "../../model/principal.js";
import type { RequestState } from "../../model/state.js";
import type { CheckInput } from "../../ports/application.js";
import type { Entry, NamedCheck } from "./plan.js";

/** How long a check may take. */
const CHECK_DEADLINE_MS = 2000;

/** True: the check passed. */
type Finding = boolean | Fault;

/**
 * Entries are alternatives: one whose checks all pass is enough. A fault is told only when no entry passes, so that the order in
 * which entries are written never decides.
 */
export function runChecks(
  entries: readonly Entry[],
  state: RequestState,
  refusal: (entry: Entry) => Refusal,
): Verdict | Promise<Verdict> {
  return tryEntries(entries, 0, state, refusal, undefined);
}

function tryEntries(
  entries: readonly Entry[],
  start: number,
  state: RequestState,
  refusal: (entry: Entry) => Refusal,
  earlier: Fault | undefined,
): Verdict | Promise<Verdict> {
  let fault = earlier;
  for (let index = start; index < entries.length; index += 1) {
    const entry = entries[index];
    if (entry === undefined) continue;
    const finding = runAll(entry.checks, 0, state);
    if (finding instanceof Promise) {
      const before = fault;
      return finding.then((found) =>
        found === true
          ? held(entry, state)
          : tryEntries(entries, index + 1, state, refusal, worse(before, found)),
      );
    }
    if (finding === true) return held(entry, state);
    fault = worse(fault, finding);
  }
  const last = entries.at(-1);
  return fault ?? (last === undefined ? PASS : refusal(last));
}

function held(entry: Entry, state: RequestState): Verdict {
  if (state.tracing) state.note({ reached: [{ rule: entry.rule, came: "held" }] });
  return PASS;
}

/** What failed outside may get well by itself, so of two faults it is the one to tell. */
function worse(fault: Fault | undefined, finding: Finding): Fault | undefined {
  if (typeof finding === "boolean") return fault;
  return fault === undefined || (fault.where === "code" && finding.where === "outside") ? finding : fault;
}

function runAll(
  checks: readonly NamedCheck[],
  start: number,
  state: RequestState,
): Finding | Promise<Finding> {
  for (let index = start; index < checks.length; index += 1) {
    const named = checks[index];
    if (named === undefined) continue;
    const finding = runOne(named, state);
    if (finding instanceof Promise) {
      return finding.then((found) => (found === true ? runAll(checks, index + 1, state) : found));
    }
    if (finding !== true) return finding;
  }
  return true;
}

function runOne(named: NamedCheck, state: RequestState): Finding | Promise<Finding> {
  const call = new CheckCall(state);
  let answer: unknown;
  try {
    const { answers } = state;
    answer =
      answers === undefined
        ? named.check(call)
        : answers.ask(`check ${named.name}`, factsOf(call), () => named.check(call));
  } catch (error) {
    return conclude(named, state, threw(named, error));
  }
  if (isPromiseLike(answer))
    return wait(named, call, answer).then((finding) => conclude(named, state, finding));
  return conclude(named, state, judge(named, answer));
}

/** Neither `locals`, which is the application's own, nor the signal. */
function factsOf({ principal, params, query, headers, body, route }: CheckInput): unknown {
  return { principal, params, query, headers, body, route };
}

function judge(named: NamedCheck, answer: unknown): Finding {
  if (typeof answer === "boolean") return answer;
  return {
    kind: "fault",
    where: "code",
    reason: `check \`${named.name}\` answered neither true nor false`,
    rule: named.rule,
  };
}

function threw(named: NamedCheck, error: unknown): Fault {
  return { kind: "fault", where: "code", reason: `check \`${named.name}\` threw`, rule: named.rule, error };
}

/** The timer exists only while there is something to wait for, and never keeps a process alive. */
function wait(named: NamedCheck, call: CheckCall, answer: PromiseLike<unknown>): Promise<Finding> {
  return new Promise((resolve) => {
    const timer: unknown = setTimeout(() => {
      resolve({
        kind: "fault",
        where: "outside",
        reason: `check \`${named.name}\` gave no answer within ${CHECK_DEADLINE_MS} ms`,
        rule: named.rule,
      });
      call.expire();
    }, CHECK_DEADLINE_MS);
    unref(timer);
    const stop = (): void => clearTimeout(timer as Parameters<typeof clearTimeout>[0]);
    answer.then(
      (settled) => {
        stop();
        resolve(judge(named, settled));
      },
      (error: unknown) => {
        stop();
        resolve(threw(named, error));
      },
    );
  });
}

/** Browsers give numbers, Node objects that would hold the process. */
function unref(timer: unknown): void {
  if (isHolding(timer)) timer.unref();
}

function isHolding(timer: unknown): timer is { unref(): void } {
  return typeof timer === "object" && timer !== null && "unref" in timer && typeof timer.unref === "function";
}

function conclude(named: NamedCheck, state: RequestState, finding: Finding): Finding {
  if (state.tracing) {
    const came = finding === true ? "held" : finding === false ? "missed" : "error";
    state.note({
      rule: named.rule,
      reason: tell(named, finding),
      reached: [{ rule: named.rule, came }],
    });
  }
  return finding;
}

function tell(named: NamedCheck, finding: Finding): string {
  return typeof finding === "boolean" ? `check \`${named.name}\` said ${finding}` : finding.reason;
}

/** What a check is given. The signal is made when it is first asked for: most checks never do. */
class CheckCall implements CheckInput {
  readonly principal: Principal | null;
  readonly params: CheckInput["params"];
  readonly query: CheckInput["query"];
  readonly headers: CheckInput["headers"];
  readonly body: unknown;
  readonly route: string;
  readonly locals: CheckInput["locals"];
  readonly #state: RequestState;
  #deadline: AbortController | undefined = undefined;
  #signal: AbortSignal | undefined = undefined;
  #expired = false;

  constructor(state: RequestState) {
    this.principal = state.identity?.principal ?? null;
    this.params = state.params;
    this.query = state.query;
    this.headers = state.headers;
    this.body = state.body;
    this.route = state.route.key;
    this.locals = state.locals;
    this.#state = state;
  }

  get signal(): AbortSignal {
    if (this.#signal === undefined) {
      this.#deadline = new AbortController();
      if (this.#expired) this.#deadline.abort();
      this.#signal = AbortSignal.any([this.#state.signal, this.#deadline.signal]);
    }
    return this.#signal;
  }

  expire(): void {
    this.#expired = true;
    this.#deadline?.abort();
  }
}
