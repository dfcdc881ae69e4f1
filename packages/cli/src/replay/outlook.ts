/**
 * What becomes of a recorded request under the candidate. Its stages are gone through in the engine's order. Where a stage was passed,
 * the candidate's is passed when whoever passes the one passes the other, or when the recorded facts say so; the same the other way
 * round for a refusal. All else is not known, and is said to be.
 */
import { ERRORS, STAGES, type StageName } from "@gatehouse/core";
import type { ResolvedAuthenticate } from "@gatehouse/core/analysis";
import { acts } from "../diff/access.js";
import { carrierOf } from "../diff/authorization.js";
import { subset } from "../diff/canonical.js";
import { limitsOf, shedOf, shedWithin, type TakenLimit } from "../diff/limits.js";
import { asksLate, demandsOn, type Answer } from "./demands.js";
import { knownFacts, sameCaller, type Caller } from "./known.js";
import type { RecordedDecision } from "./line.js";
import type { Asked, Pairing } from "./pairing.js";

export type Outlook =
  | { readonly kind: "pass" }
  /** `code`: undefined where only that it is refused is known. */
  | { readonly kind: "refuse"; readonly stage: StageName; readonly code: string | undefined }
  | { readonly kind: "unknown"; readonly stage: StageName; readonly why: string };

const PASS: Outlook = { kind: "pass" };
const RANK: ReadonlyMap<StageName, number> = new Map(STAGES.map((stage, at) => [stage, at]));
const FAULTS: ReadonlySet<string> = new Set(
  Object.entries(ERRORS).flatMap(([code, { status }]) => (status >= 500 ? [code] : [])),
);

export function outlookOf(pairing: Pairing, decision: RecordedDecision): Outlook {
  // It refuses nothing, and neither does a fault.
  if (pairing.fresh.route.mode === "observe") return PASS;
  return new Reading(pairing, decision).outlook();
}

/**
 * What may end a request before the policy answers it by itself, a preflight or a redirect. In observe mode it does not answer.
 * @param decision the recorded answer
 */
export function outlookOfAnswer(pairing: Pairing, decision: RecordedDecision): Outlook {
  const reading = new Reading(pairing, decision);
  // A preflight costs no more than the refusal, and is not shed.
  const shed = decision.stage === "cors" ? PASS : reading.shed();
  return shed.kind === "pass" ? reading.limits("global-limit") : shed;
}

type Stood = "passed" | "refused" | "unreached";

class Reading {
  /** The stage at which the policy that served ended the request, or in observe mode would have; undefined: none. */
  readonly #end: { readonly stage: StageName; readonly code: string | undefined } | undefined;
  #caller: Caller = undefined;
  #demands: Answer | undefined = undefined;

  constructor(
    private readonly pairing: Pairing,
    private readonly decision: RecordedDecision,
  ) {
    const { outcome, stage, code, observed } = decision;
    this.#end = outcome === "refuse" && stage !== undefined ? { stage, code } : observed;
  }

  outlook(): Outlook {
    if (this.#end !== undefined && this.hasLateProof())
      return this.unknown(
        this.#end.stage,
        "in which order a route with signatures over its body is asked depends on the caller",
      );
    for (const step of STEPS) {
      const outlook = step(this);
      if (outlook.kind !== "pass") return outlook;
    }
    return PASS;
  }

  private hasLateProof(): boolean {
    return [this.pairing.old, this.pairing.fresh].some(({ route }) =>
      route.authenticate.anyOf.some((together) => together.some(({ late }) => late)),
    );
  }

  stood(stage: StageName): Stood {
    if (this.#end === undefined) return "passed";
    const [here = 0, end = 0] = [RANK.get(stage), RANK.get(this.#end.stage)];
    return here < end ? "passed" : here === end ? "refused" : "unreached";
  }

  refuse(stage: StageName, code: string | undefined): Outlook {
    return { kind: "refuse", stage, code };
  }

  /** As it was, in the same words. */
  refuseAgain(stage: StageName): Outlook {
    return this.refuse(stage, this.#end?.code);
  }

  unknown(stage: StageName, why: string): Outlook {
    return { kind: "unknown", stage, why };
  }

  /** A stage of which nothing is known but what it said, and how the two policies compare. */
  compared(stage: StageName, aspect: Asked, unreached: string, same: Asked | "parameters" = aspect): Outlook {
    const { pairing } = this;
    switch (this.stood(stage)) {
      case "passed": {
        const proof = pairing.alike(same) ? undefined : pairing.passes(aspect);
        return proof === undefined || proof.shown ? PASS : this.unknown(stage, proof.why);
      }
      case "refused": {
        const fault = this.fault(stage);
        if (fault !== undefined) return fault;
        if (pairing.alike(same)) return this.refuseAgain(stage);
        const proof = same === aspect ? pairing.refuses(aspect) : undefined;
        if (proof?.shown === true) return this.refuse(stage, undefined);
        return this.unknown(stage, proof?.why ?? "what was refused was not recorded");
      }
      case "unreached":
        return this.unknown(stage, unreached);
    }
  }

  /** A store, a provider or code that failed says nothing of what it would have said. */
  fault(stage: StageName): Outlook | undefined {
    const code = this.#end?.code;
    return code !== undefined && FAULTS.has(code)
      ? this.unknown(stage, `a fault decided (\`${code}\`)`)
      : undefined;
  }

  /** What was shed, and what would be, depends on what else the process had to do. */
  shed(): Outlook {
    const { pairing } = this;
    if (pairing.keep("sheds", () => shedOf(pairing.fresh)) === undefined) return PASS;
    if (this.stood("shed") === "refused")
      return this.unknown("shed", "how much there was to do was not recorded");
    const proof = pairing.keep("shed", () => shedWithin(pairing.old, pairing.fresh));
    return proof.shown ? PASS : this.unknown("shed", proof.why);
  }

  transport(): Outlook {
    return this.compared("transport", "transport", "how the request arrived was not recorded");
  }

  cors(): Outlook {
    const cors = this.pairing.fresh.route.cors?.value;
    if (cors === undefined || cors === "none" || cors.enforce !== true) return PASS;
    return this.compared("cors", "cors", "from which page the request came was not recorded");
  }

  limits(stage: StageName): Outlook {
    const { pairing } = this;
    const taken = pairing.keep(`limits at ${stage}`, () =>
      limitsOf(pairing.fresh).filter((limit) => stageOf(limit) === stage),
    );
    const stood = this.stood(stage);
    // Where exactly a limit is taken depends on what it reads; a refusal by one is a refusal by one.
    if (stood === "refused") {
      if (limitsOf(pairing.fresh).length === 0) return PASS;
      return this.compared(stage, "limits", "");
    }
    const [first] = taken;
    if (first === undefined) return PASS;
    if (this.#end !== undefined && this.#end.stage.includes("limit") && pairing.alike("limits")) return PASS;
    const outlook = this.compared(
      stage,
      "limits",
      `what \`${first.name}\` would have counted was not recorded`,
    );
    return outlook.kind === "unknown" && stood === "passed"
      ? this.unknown(stage, `counts are not recorded: ${outlook.why}`)
      : outlook;
  }

  authenticate(): Outlook {
    const { pairing, decision } = this;
    const { principal } = decision;
    const before = pairing.old.route.authenticate;
    const after = pairing.fresh.route.authenticate;
    if (after.mode === "none") {
      this.#caller = null;
      return PASS;
    }
    const stood = this.stood("authenticate");
    if (stood === "unreached")
      return this.unknown("authenticate", "the request was refused before anybody looked who calls");
    if (before.mode === "none")
      return this.unknown("authenticate", "who calls was not looked at: the route was open");
    if (stood === "refused") return this.refusedBefore(before, after);
    if (principal === undefined) return this.anonymous(before, after);
    if (pairing.alike("authentication") || pairing.passes("authentication").shown) {
      this.#caller = sameCaller(pairing, principal);
      return PASS;
    }
    const used = before.anyOf.flat().find(({ name }) => name === principal.authenticator);
    const readers = after.anyOf.flat().map(carrierOf);
    if (used !== undefined && readsNoMore(before, after) && !readers.includes(carrierOf(used)))
      return this.nothingPresented(after);
    const proof = pairing.passes("authentication");
    return this.unknown("authenticate", proof.shown ? "" : proof.why);
  }

  private anonymous(before: ResolvedAuthenticate, after: ResolvedAuthenticate): Outlook {
    if (readsNoMore(before, after)) return this.nothingPresented(after);
    return this.unknown("authenticate", "a credential may have been sent that nobody looked at");
  }

  private refusedBefore(before: ResolvedAuthenticate, after: ResolvedAuthenticate): Outlook {
    const single = before.anyOf.every(({ length }) => length === 1);
    if (this.#end?.code === "unauthenticated" && single && readsNoMore(before, after))
      return this.nothingPresented(after);
    return this.compared("authenticate", "authentication", "");
  }

  private nothingPresented({ mode }: ResolvedAuthenticate): Outlook {
    this.#caller = null;
    return mode === "optional" ? PASS : this.refuse("authenticate", "unauthenticated");
  }

  csrf(): Outlook {
    if (!this.pairing.keep("csrf acts", () => ({ holds: acts(this.pairing.fresh) })).holds) return PASS;
    return this.compared("csrf", "csrf", "from which page the request came was not recorded");
  }

  parameters(): Outlook {
    const { params, query, headers, cookies } = this.pairing.fresh.route.request;
    const asksNothing = [params, query, headers, cookies].every((one) => one === undefined);
    if (asksNothing && !this.decision.query && this.stood("parameters") === "unreached") return PASS;
    return this.compared(
      "parameters",
      "request",
      "parameters, which the candidate looks at, were not recorded",
      "parameters",
    );
  }

  authorize(): Outlook {
    const known = knownFacts(this.pairing, this.decision, this.#caller);
    const answer = demandsOn(this.pairing, known, this.#caller);
    this.#demands = answer;
    if (answer.is === "yes") return PASS;
    if (answer.is === "no") {
      const again = this.stood("authorize") === "refused" && this.pairing.alike("authorization");
      return again ? this.refuseAgain("authorize") : this.refuse("authorize", answer.code);
    }
    const late = this.#end?.stage === "authorize-body" || this.#end?.stage === "check";
    // What was asked last says nothing of what is asked first under other rules.
    if (late && !this.pairing.alike("authorization")) return this.unknown("authorize", answer.why);
    const outlook = this.compared("authorize", "authorization", answer.why);
    return outlook.kind === "unknown" ? this.unknown("authorize", answer.why) : outlook;
  }

  authorizeLate(): Outlook {
    const { pairing } = this;
    if (this.#demands?.is !== "unknown" || !pairing.keep("late", () => ({ holds: asksLate(pairing) })).holds)
      return PASS;
    const stage = this.#end?.stage === "authorize-body" ? "authorize-body" : "check";
    const { why } = this.#demands;
    const outlook = this.compared(stage, "authorization", why);
    return outlook.kind === "unknown" && this.fault(stage) === undefined ? this.unknown(stage, why) : outlook;
  }

  body(): Outlook {
    const { body, bodyOptional } = this.pairing.fresh.route.request;
    if (!this.decision.content)
      return body === undefined || bodyOptional ? PASS : this.refuse("body", "missing-body");
    const ended = BODY_STAGES.find((stage) => stage === this.#end?.stage);
    return this.compared(ended ?? "revalidate", "request", "the body was not recorded");
  }

  /** It refuses by a fault alone: whoever kept events then says nothing of who keeps them next time. */
  record(): Outlook {
    const asks = this.pairing.fresh.route.record?.value.onFailure === "closed";
    return (asks && this.stood("record") === "refused" ? this.fault("record") : undefined) ?? PASS;
  }
}

const BODY_STAGES: readonly StageName[] = ["body", "validate", "sanitize", "revalidate"];

const STEPS: readonly ((reading: Reading) => Outlook)[] = [
  (reading) => reading.shed(),
  (reading) => reading.limits("global-limit"),
  (reading) => reading.transport(),
  (reading) => reading.cors(),
  (reading) => reading.limits("limit-connection"),
  (reading) => reading.authenticate(),
  (reading) => reading.csrf(),
  (reading) => reading.limits("limit-principal"),
  (reading) => reading.parameters(),
  (reading) => reading.limits("limit-parameters"),
  (reading) => reading.authorize(),
  (reading) => reading.body(),
  (reading) => reading.limits("limit-body"),
  (reading) => reading.authorizeLate(),
  (reading) => reading.record(),
];

/** Credentials are looked at in no place where they were not looked at before. */
function readsNoMore(before: ResolvedAuthenticate, after: ResolvedAuthenticate): boolean {
  return subset(after.anyOf.flat().map(carrierOf), before.anyOf.flat().map(carrierOf));
}

/** The latest at which it may be taken. */
function stageOf({ settings, global }: TakenLimit): StageName {
  if (global) return "global-limit";
  const read = JSON.stringify([settings.by, settings.when, settings.cost]);
  if (/\bbody\b/u.test(read)) return "limit-body";
  if (/\b(?:params|query|headers|cookies)\b/u.test(read)) return "limit-parameters";
  return /\b(?:principal|authenticator)\b/u.test(read) ? "limit-principal" : "limit-connection";
}
