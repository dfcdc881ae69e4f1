/** Recorded decisions against a candidate policy: what of them it would have decided otherwise, and of what nobody can tell. */
import { createHash } from "node:crypto";
import { checkPolicy, type PolicyDocument, type StageName } from "@gatehouse/core";
import { analyse, type AnalysedPolicy, type ResolvedRoute } from "@gatehouse/core/analysis";
import { alike, canonical, subset } from "../diff/canonical.js";
import type { Side } from "../diff/model.js";
import { CATEGORIES, type Category } from "./choices.js";
import { Router, type Destination } from "./destinations.js";
import { readLine, type RecordedDecision } from "./line.js";
import { outlookOf, outlookOfAnswer, type Outlook } from "./outlook.js";
import { Pairing } from "./pairing.js";

export interface ReplayOptions {
  /** Policies that decided, for a log that does not hold them: told apart by their revision. */
  readonly served?: readonly PolicyDocument[];
  /** Examples that are kept of each finding. Default 3. */
  readonly examples?: number;
  /** Called now and then with the number of lines that were read. */
  readonly onProgress?: (lines: number) => void;
}

export interface ReplayReport {
  /** Of the candidate. */
  readonly name: string;
  readonly revision: string;
  readonly lines: number;
  readonly decisions: number;
  readonly counts: Readonly<Record<Category, number>>;
  /** Most frequent first, in the order of the categories. What is the same is only counted. */
  readonly findings: readonly ReplayFinding[];
  /** Events that the log itself says are lost. */
  readonly dropped: number;
  /** Decisions of which a part alone is in the log. */
  readonly sampled: number;
  /** Lines that are none of a log. */
  readonly unreadable: number;
}

export interface ReplayFinding {
  readonly category: Exclude<Category, "same">;
  readonly served: ReplayedVerdict;
  readonly candidate: ReplayedVerdict;
  /** Of `unknown`: what would have to be known. */
  readonly reason: string | undefined;
  readonly count: number;
  readonly examples: readonly ReplayExample[];
}

export interface ReplayedVerdict {
  /** Null: none. Undefined: not known. */
  readonly route: string | null | undefined;
  readonly outcome: "admit" | "refuse" | "answer" | "aborted" | "unknown";
  readonly stage: StageName | undefined;
  readonly code: string | undefined;
}

export interface ReplayExample {
  /** From 1. */
  readonly line: number;
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly method: string;
}

/** More kinds of findings than these are counted, and not told apart. */
const MOST_FINDINGS = 2000;
const MOST_STRANGERS = 100;
const PROGRESS_EVERY = 10_000;

/**
 * @param lines of a log as `jsonLines` writes it, or events as JSON by another logger, one a line
 * @throws PolicyError (rejects) for a candidate that cannot be served
 */
export async function replayLog(
  lines: AsyncIterable<string> | Iterable<string>,
  candidate: PolicyDocument,
  options: ReplayOptions = {},
): Promise<ReplayReport> {
  const replay = new Replay(candidate, options);
  let read = 0;
  for await (const line of lines) {
    read += 1;
    replay.take(line, read);
    if (read % PROGRESS_EVERY === 0) options.onProgress?.(read);
  }
  return replay.report(read);
}

interface Counted {
  readonly finding: Omit<ReplayFinding, "count" | "examples">;
  count: number;
  readonly examples: ReplayExample[];
}

/** What a served policy and the candidate have to do with each other. */
interface Compared {
  readonly old: AnalysedPolicy;
  readonly router: Router;
  readonly routes: ReadonlyMap<string, ResolvedRoute>;
  readonly pairings: Map<string, Pairing>;
}

type Judged = Omit<Counted["finding"], "category"> & { readonly category: Category };

/** What was found, each kind once. */
class Tally {
  readonly findings = new Map<string, Counted>();
  readonly counts: Record<Category, number> = {
    "newly admitted": 0,
    "newly refused": 0,
    "changed code": 0,
    unknown: 0,
    same: 0,
  };
  decisions = 0;

  static of(all: Iterable<Counted>): Tally {
    const tally = new Tally();
    for (const one of all) {
      tally.findings.set(JSON.stringify(one.finding), one);
      tally.counts[one.finding.category] += one.count;
      tally.decisions += one.count;
    }
    return tally;
  }

  add({ category, ...rest }: Judged, example: ReplayExample, examples: number): void {
    this.decisions += 1;
    this.counts[category] += 1;
    if (category === "same") return;
    const finding = { category, ...rest };
    const full = this.findings.size >= MOST_FINDINGS;
    const key = full && !this.findings.has(JSON.stringify(finding)) ? category : JSON.stringify(finding);
    const known = this.findings.get(key) ?? {
      finding: full && key === category ? others(category) : finding,
      count: 0,
      examples: [],
    };
    this.findings.set(key, known);
    known.count += 1;
    if (known.examples.length < examples) known.examples.push(example);
  }
}

class Replay {
  readonly #fresh: AnalysedPolicy;
  readonly #revision: string;
  readonly #compared = new Map<string, Compared | string>();
  /** Revisions of policies of which whoever runs the replay says that the candidate takes their place. */
  readonly #named = new Set<string>();
  readonly #own = new Tally();
  readonly #others = new Tally();
  /** Of decisions by policies of other names: by that name. */
  readonly #strangers = new Map<string, Counted>();
  #dropped = 0;
  #sampled = 0;
  #unreadable = 0;

  constructor(
    private readonly candidate: PolicyDocument,
    private readonly options: ReplayOptions,
  ) {
    this.#fresh = analyse(candidate);
    this.#revision = revisionOf(candidate);
    for (const document of options.served ?? []) {
      const revision = revisionOf(document);
      this.#named.add(revision);
      this.learn(revision, document);
    }
  }

  take(text: string, line: number): void {
    if (text === "") return;
    const read = readLine(text);
    if (read === undefined) this.#unreadable += 1;
    else if (read.kind === "policy") this.learn(read.revision, read.document);
    else if (read.kind === "dropped") this.#dropped += read.count;
    else if (read.kind === "decision") this.count(read.decision, line);
  }

  /**
   * Engines that share a log have policies of other names there, of which the candidate replaces none. Where no policy of the candidate's
   * name decided anything, it was given another.
   */
  report(lines: number): ReplayReport {
    const place = (category: Category): number => CATEGORIES.indexOf(category);
    const others = this.#own.decisions > 0 ? Tally.of(this.#strangers.values()) : this.#others;
    const counts = { ...this.#own.counts };
    for (const category of CATEGORIES) counts[category] += others.counts[category];
    const findings = [...this.#own.findings.values(), ...others.findings.values()]
      .toSorted((a, b) => place(a.finding.category) - place(b.finding.category) || b.count - a.count)
      .map(({ finding, count, examples }): ReplayFinding => ({ ...finding, count, examples }));
    return {
      name: this.candidate.name,
      revision: this.#revision,
      lines,
      decisions: this.#own.decisions + others.decisions,
      counts,
      findings,
      dropped: this.#dropped,
      sampled: this.#sampled,
      unreadable: this.#unreadable,
    };
  }

  /** A document that is not what its revision names decided nothing. */
  private learn(revision: string, document: object): void {
    if (this.#compared.has(revision)) return;
    const policy = document as PolicyDocument;
    const problem =
      revisionOf(document) !== revision
        ? "the policy in the log is not the one that its revision names"
        : checkPolicy(policy).some(({ severity }) => severity === "error")
          ? "the policy in the log cannot be read by this version"
          : undefined;
    if (problem !== undefined) {
      this.#compared.set(revision, problem);
      return;
    }
    const old = analyse(policy);
    this.#compared.set(revision, {
      old,
      router: new Router(old, this.#fresh),
      routes: new Map(old.policy.routes.map((route) => [route.key, route])),
      pairings: new Map(),
    });
  }

  private count(decision: RecordedDecision, line: number): void {
    if (decision.sampled) this.#sampled += 1;
    const { id, time, method, policy } = decision;
    const example: ReplayExample = { line, id, time, method };
    const most = this.options.examples ?? 3;
    const judged = this.judge(decision);
    if (policy === this.candidate.name || this.#named.has(decision.revision)) {
      this.#own.add(judged, example, most);
      return;
    }
    this.#others.add(judged, example, most);
    const full = this.#strangers.size >= MOST_STRANGERS && !this.#strangers.has(policy);
    const name = full ? "" : policy;
    const known = this.#strangers.get(name) ?? { finding: stranger(name), count: 0, examples: [] };
    this.#strangers.set(name, known);
    known.count += 1;
    if (known.examples.length < most) known.examples.push(example);
  }

  private judge(decision: RecordedDecision): Judged {
    const served = servedVerdict(decision);
    const blank = { route: undefined, stage: undefined, code: undefined } as const;
    const unknown = (reason: string, candidate: Partial<ReplayedVerdict> = {}): Judged => ({
      category: "unknown",
      served,
      candidate: { ...blank, ...candidate, outcome: "unknown" },
      reason,
    });
    const same = (): Judged => ({ category: "same", served, candidate: served, reason: undefined });
    if (decision.revision === this.#revision) return same();
    if (decision.outcome === "aborted") return unknown("the client left before a decision");
    const compared = this.#compared.get(decision.revision);
    if (compared === undefined)
      return unknown(
        `the policy that decided, revision ${decision.revision.slice(0, 12)}, is not in the log`,
      );
    if (typeof compared === "string") return unknown(compared);
    return this.compare(decision, compared, unknown, same);
  }

  private compare(
    decision: RecordedDecision,
    compared: Compared,
    unknown: (reason: string, candidate?: Partial<ReplayedVerdict>) => Judged,
    same: () => Judged,
  ): Judged {
    const { old, routes, router } = compared;
    if (decision.stage === "normalize" || decision.observed?.stage === "normalize")
      return this.unreadableHead(decision, old, unknown, same);
    const route = decision.route === null ? undefined : routes.get(decision.route);
    if (decision.route !== null && route === undefined)
      return unknown("the policy that decided has no such route");
    if (decision.outcome === "answer") return this.ownAnswer(decision, compared, route, unknown, same);
    const { found, complete, missing, readable, preflights } = router.destinations(route, decision);
    if (!complete || found.length === 0) return unknown("to which route the path leads was not worked out");
    if (preflights && (decision.stage === "route" || decision.observed?.stage === "route"))
      return unknown("whether it was a preflight, which the candidate may answer, was not recorded");
    const read = readable ? decision : { ...decision, path: undefined };
    const judged = found.map((destination) => this.judgeAt(read, compared, route, destination, unknown));
    const [first] = judged;
    if (first !== undefined && judged.every((one) => alike(verdictOf(one), verdictOf(first)))) return first;
    const keys = found.map((one) => (one.route === undefined ? "no route" : `\`${one.route.key}\``));
    return unknown(`${missing ?? "the path"} was not recorded: it leads to ${keys.join(" or ")}`);
  }

  /** A preflight or a redirect: the same where it comes from the same route under the same settings, and nothing ends it before. */
  private ownAnswer(
    decision: RecordedDecision,
    { old, router, pairings }: Compared,
    route: ResolvedRoute | undefined,
    unknown: (reason: string, candidate?: Partial<ReplayedVerdict>) => Judged,
    same: () => Judged,
  ): Judged {
    if (!alike(ownAnswers(old, route), ownAnswers(this.#fresh, undefined, decision.route)))
      return unknown(
        "the policy's own answers (preflights, redirects) are not compared where their settings differ",
      );
    // A preflight is of the route of the method that it asks for, which its own method is not.
    const methods = route === undefined ? [decision.method] : route.methods;
    const led = methods.map((method) => router.destinations(route, { ...decision, method }));
    const stays = led.every(
      ({ found, complete }) =>
        complete && found.length > 0 && found.every((one) => (one.route?.key ?? null) === decision.route),
    );
    if (!stays) return unknown("to which route the path leads was not recorded");
    const after = led[0]?.found[0]?.route;
    const outlook = outlookOfAnswer(this.pairingOf(old, pairings, route, after), decision);
    return outlook.kind === "unknown"
      ? unknown(outlook.why, { route: decision.route, stage: outlook.stage })
      : same();
  }

  /** Which head can be read in one way depends on the fields that the policy reads, and on whether anything is refused at all. */
  private unreadableHead(
    decision: RecordedDecision,
    old: AnalysedPolicy,
    unknown: (reason: string) => Judged,
    same: () => Judged,
  ): Judged {
    const [before, after] = [observesAll(old), observesAll(this.#fresh)];
    const keys = ({ policy }: AnalysedPolicy): string[] => policy.routes.map(({ key }) => key).sort();
    if (before === after && decision.code === "ambiguous-path" && !alike(keys(old), keys(this.#fresh)))
      return unknown("whether a path can be read in one way depends on the routes of the policy");
    if (before === after)
      return readsAsMuch(old, this.#fresh)
        ? same()
        : unknown("whether the head can be read in one way depends on the fields that the policy reads");
    if (before) return unknown("a head that can be read in two ways was let pass in observe mode");
    const served = servedVerdict(decision);
    return { category: "newly admitted", served, candidate: { ...ADMITTED, route: null }, reason: undefined };
  }

  private judgeAt(
    decision: RecordedDecision,
    compared: Compared,
    route: ResolvedRoute | undefined,
    destination: Destination,
    unknown: (reason: string, candidate: Partial<ReplayedVerdict>) => Judged,
  ): Judged {
    const key = destination.route?.key ?? null;
    const outlook = this.outlookAt(decision, compared, route, destination);
    const served = servedVerdict(decision);
    if (outlook.kind === "unknown") return unknown(outlook.why, { route: key, stage: outlook.stage });
    if (outlook.kind === "pass") {
      const category = served.outcome === "admit" ? "same" : "newly admitted";
      return { category, served, candidate: { ...ADMITTED, route: key }, reason: undefined };
    }
    const { stage, code } = outlook;
    const candidate: ReplayedVerdict = { route: key, outcome: "refuse", stage, code };
    if (served.outcome === "admit")
      return { category: "newly refused", served, candidate, reason: undefined };
    if (code === undefined)
      return {
        category: "unknown",
        served,
        candidate,
        reason: "it is refused as before; by which code was not worked out",
      };
    const told = shownCode(code, stage, destination.route);
    const category = told === (decision.concealed ? "not-found" : decision.code) ? "same" : "changed code";
    return { category, served, candidate, reason: undefined };
  }

  private outlookAt(
    decision: RecordedDecision,
    { old, pairings }: Compared,
    route: ResolvedRoute | undefined,
    { route: after, code }: Destination,
  ): Outlook {
    const pairing = this.pairingOf(old, pairings, route, after);
    const outlook = outlookOf(pairing, unmatchedEnd(decision, route));
    // What comes before the route was asked; behind it there is nothing more to ask.
    if (after !== undefined || pairing.fresh.route.mode === "observe") return outlook;
    const before = outlook.kind !== "pass" && BEFORE_ROUTE.has(outlook.stage);
    return before ? outlook : { kind: "refuse", stage: "route", code: code ?? "not-found" };
  }

  private pairingOf(
    old: AnalysedPolicy,
    pairings: Map<string, Pairing>,
    route: ResolvedRoute | undefined,
    after: ResolvedRoute | undefined,
  ): Pairing {
    const key = JSON.stringify([route?.key, after?.key]);
    const pairing =
      pairings.get(key) ?? new Pairing(sideOf("old", old, route), sideOf("new", this.#fresh, after));
    pairings.set(key, pairing);
    return pairing;
  }
}

const ADMITTED = { outcome: "admit", stage: undefined, code: undefined } as const;
const BEFORE_ROUTE: ReadonlySet<StageName> = new Set(["shed", "global-limit", "transport"]);

/** Of a request without a route nothing is known that comes behind it. */
function unmatchedEnd(decision: RecordedDecision, route: ResolvedRoute | undefined): RecordedDecision {
  return route === undefined && decision.outcome === "admit" && decision.observed === undefined
    ? { ...decision, observed: { stage: "route", code: "not-found" } }
    : decision;
}

const UNTOLD: ReplayedVerdict = { route: undefined, outcome: "unknown", stage: undefined, code: undefined };

function others(category: Exclude<Category, "same">): Counted["finding"] {
  return {
    category,
    served: UNTOLD,
    candidate: UNTOLD,
    reason: "others, of more kinds than are told apart",
  };
}

function stranger(name: string): Counted["finding"] {
  const who = name === "" ? "others still, of more policies than are told apart," : `the policy \`${name}\``;
  const reason = `${who} decided, which shares the log with those that the candidate replaces`;
  return { category: "unknown", served: UNTOLD, candidate: UNTOLD, reason };
}

function sideOf(name: Side["name"], analysed: AnalysedPolicy, route: ResolvedRoute | undefined): Side {
  return { name, analysed, route: route ?? analysed.policy.unmatched, matched: route !== undefined };
}

function servedVerdict({ route, outcome, stage, code }: RecordedDecision): ReplayedVerdict {
  return { route, outcome, stage: outcome === "refuse" ? stage : undefined, code };
}

function verdictOf({ category, candidate }: Judged): unknown {
  return [category, candidate.outcome, candidate.code];
}

const CONCEALED: ReadonlySet<StageName> = new Set(["authorize", "authorize-body", "check"]);
const FORBIDDEN: ReadonlySet<string> = new Set(["forbidden", "insufficient-scope", "condition-error"]);

/** What the caller is told: on a route that conceals every 403 is the handler's own 404. */
function shownCode(code: string, stage: StageName, route: ResolvedRoute | undefined): string {
  return route?.conceal === true && CONCEALED.has(stage) && FORBIDDEN.has(code) ? "not-found" : code;
}

function observesAll({ policy }: AnalysedPolicy): boolean {
  return policy.unmatched.mode === "observe" && policy.routes.every(({ mode }) => mode === "observe");
}

/** One value alone is read of the fields that carry credentials: whoever sends two is refused there, and nowhere else. */
function readsAsMuch(old: AnalysedPolicy, fresh: AnalysedPolicy): boolean {
  const fields = ({ policy }: AnalysedPolicy): string[] =>
    [...policy.authenticators.values()].flatMap(({ carrier }) =>
      carrier.in === "header" ? [carrier.name] : [],
    );
  const trust = ({ policy }: AnalysedPolicy): unknown => policy.document.transport?.trust;
  return subset(fields(old), fields(fresh)) && alike(trust(old), trust(fresh));
}

function ownAnswers(
  { policy }: AnalysedPolicy,
  route: ResolvedRoute | undefined,
  key: string | null = null,
): unknown {
  const one = route ?? policy.routes.find((other) => other.key === key) ?? policy.unmatched;
  const { transport, protectedResource } = policy.document;
  const callers = one.authenticate.anyOf.map((together) => together.map(({ carrier }) => carrier));
  return [
    one.key,
    one.mode,
    one.cors?.value,
    one.audience,
    one.transport,
    transport,
    protectedResource,
    callers,
  ];
}

/** SHA-256 of the canonical document (RFC 8785). */
export function revisionOf(document: object): string {
  return createHash("sha256").update(canonical(document)).digest("hex");
}
