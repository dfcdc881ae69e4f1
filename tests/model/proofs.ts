/**
 * A second model, for callers who show more than a token: proofs of possession, bound tokens, passwords, webhooks and signed messages. It
 * reads facts (`right`, `tampered`, `three seconds old`) and never a signature, and shares no line with the engine.
 */

/** Whole seconds since the epoch. */
export type Seconds = number;

export type Kind = "jwt" | "opaque";
export type Algorithm = "ES256" | "EdDSA";

export interface ProofPolicy {
  readonly proving: {
    readonly kind: Kind;
    /** Undefined: every asymmetric one. */
    readonly algorithms: readonly Algorithm[] | undefined;
    readonly window: Seconds;
    /** How long nonces live, where they are asked for. */
    readonly nonceLife: Seconds | undefined;
  };
  readonly bearer: { readonly kind: Kind; readonly certified: boolean };
  readonly hook: { readonly tolerance: Seconds; readonly replay: boolean };
  readonly signed: {
    readonly tolerance: Seconds;
    readonly maxAge: Seconds;
    readonly replay: "refuse" | "nonce" | "allow";
  };
  readonly optional: boolean;
  /** Any of them, each whole; the last of one is the principal. */
  readonly alternatives: readonly (readonly Name[])[];
}

export const NAMES = ["proving", "bearer", "basic", "hook", "signed"] as const;
export type Name = (typeof NAMES)[number];

export type Holder = "ann" | "eve";
/** A key of a holder's for each algorithm. */
export type ProofKey = `${Holder} ${Algorithm}`;

export interface TokenFacts {
  /** What the token is bound to; `both`: to ann's key and her certificate. */
  readonly bound: ProofKey | "ann's certificate" | "both" | undefined;
  readonly forAudience: boolean;
  readonly over: boolean;
  /** Nobody's: a signature that does not verify, or a text that its issuer does not know. */
  readonly forged: boolean;
  /** What its issuer says of an opaque one. */
  readonly type: "DPoP" | "Bearer" | undefined;
}

export interface ProofFacts {
  readonly key: ProofKey;
  /** Signed by another key than the one that it brings. */
  readonly forged: boolean;
  readonly forMethod: boolean;
  readonly forTarget: boolean;
  readonly forToken: boolean;
  /** Seconds from now. */
  readonly made: number;
  /** Undefined: one that nobody has seen. */
  readonly id: string | undefined;
  readonly nonce: "none" | "told" | "guessed";
}

export type Presented =
  | { readonly scheme: "DPoP" | "Bearer"; readonly token: TokenFacts }
  | { readonly scheme: "Basic"; readonly password: "right" | "wrong" | "nobody's" };

export interface HookFacts {
  readonly secret: "new" | "old" | "stranger's";
  readonly made: number;
  readonly tampered: boolean;
}

export interface SignedFacts {
  readonly key: "ann's" | "unknown" | "forged";
  readonly created: number;
  readonly expires: number | undefined;
  readonly covers: "target" | "parts of the target" | "the method alone";
  /** Of a body: what its digest is of. */
  readonly digest: "the body" | "another" | "none";
  /** Undefined: none. */
  readonly nonce: string | undefined;
  readonly algorithm: "right" | "other" | undefined;
}

export interface ProofRequest {
  readonly method: "GET" | "POST";
  /** Of two bodies. */
  readonly body: 1 | 2;
  readonly site: "same-origin" | "cross-site" | undefined;
  readonly authorization: Presented | undefined;
  readonly proof: ProofFacts | undefined;
  readonly certificate: Holder | undefined;
  readonly hook: HookFacts | undefined;
  readonly signed: SignedFacts | undefined;
}

/** Who is let in (null: somebody anonymous), or the status of the refusal. */
export type ProofOutcome = { readonly admitted: string | null } | { readonly status: number };

/** Good so far; `prove` is what only the body can tell. */
interface Good {
  readonly name: Name;
  readonly id: string;
  readonly prove?: () => boolean;
}

const refused = (status: number): ProofOutcome => ({ status });

export class ProofModel {
  /** What may not come again, and until when. */
  readonly #used = new Map<string, Seconds>();

  constructor(private readonly policy: ProofPolicy) {}

  /** @param toldAt when the caller was told the nonce that it shows; undefined: never */
  decide(request: ProofRequest, now: Seconds, toldAt: Seconds | undefined): ProofOutcome {
    const { optional, alternatives } = this.policy;
    const listed = new Set(alternatives.flat());
    const good: Good[] = [];
    let bad = false;
    // Everything that is presented is looked at, whatever the rest is worth.
    for (const judge of [
      () => this.authorization(request, listed, now, toldAt),
      () => this.hook(request, listed, now),
      () => this.signed(request, listed, now),
    ]) {
      const judged = judge();
      if (judged === "bad") bad = true;
      else if (judged !== undefined) good.push(judged);
    }
    if (bad) return refused(401);
    if (good.length === 0) return optional ? { admitted: null } : refused(401);
    const chosen = alternatives.find((names) => names.every((name) => good.some((one) => one.name === name)));
    if (chosen === undefined) return refused(401);
    if (good.length > chosen.length) return refused(400);
    const callers = chosen.flatMap((name) => good.find((one) => one.name === name) ?? []);
    for (const { prove } of callers) if (prove?.() === false) return refused(401);
    // A browser sends a password by itself, and says whose page made it; scripts say nothing.
    const forgeable = request.method === "POST" && chosen.includes("basic");
    if (forgeable && request.site === "cross-site") return refused(403);
    return { admitted: callers.at(-1)?.id ?? null };
  }

  private authorization(
    request: ProofRequest,
    listed: ReadonlySet<Name>,
    now: Seconds,
    toldAt: Seconds | undefined,
  ): Good | "bad" | undefined {
    const { authorization } = request;
    if (
      authorization === undefined ||
      !["proving", "bearer", "basic"].some((name) => listed.has(name as Name))
    )
      return undefined;
    if (authorization.scheme === "Basic") {
      const right = listed.has("basic") && authorization.password === "right";
      return right ? { name: "basic", id: "ann" } : "bad";
    }
    const { scheme, token } = authorization;
    const name = scheme === "DPoP" ? "proving" : "bearer";
    if (!listed.has(name) || token.forged || token.over || !token.forAudience) return "bad";
    const fits =
      name === "proving" ? this.proves(request, token, now, toldAt) : this.bears(token, request.certificate);
    return fits ? { name, id: "ann" } : "bad";
  }

  private bears({ bound, type }: TokenFacts, certificate: Holder | undefined): boolean {
    const { kind, certified } = this.policy.bearer;
    if (kind === "opaque" && type === "DPoP") return false;
    return certified ? bound === "ann's certificate" && certificate === "ann" : bound === undefined;
  }

  private proves(
    { proof }: ProofRequest,
    { bound, type }: TokenFacts,
    now: Seconds,
    toldAt: Seconds | undefined,
  ): boolean {
    const { kind, algorithms, window, nonceLife } = this.policy.proving;
    if (kind === "opaque" && type === "Bearer") return false;
    if (proof === undefined || proof.key !== bound || proof.forged) return false;
    const algorithm = proof.key.split(" ")[1] as Algorithm;
    if (algorithms !== undefined && !algorithms.includes(algorithm)) return false;
    if (!proof.forMethod || !proof.forTarget || !proof.forToken) return false;
    if (Math.abs(proof.made) > window) return false;
    if (nonceLife !== undefined) {
      if (proof.nonce !== "told" || toldAt === undefined) return false;
      const period = (at: Seconds): number => Math.floor(at / nonceLife);
      if (Math.abs(period(now) - period(toldAt)) > 1) return false;
    }
    return proof.id === undefined || this.first(`proof ${proof.key} ${proof.id}`, now, 2 * window + 1);
  }

  private hook(
    { hook, body, method }: ProofRequest,
    listed: ReadonlySet<Name>,
    now: Seconds,
  ): Good | "bad" | undefined {
    if (hook === undefined || !listed.has("hook")) return undefined;
    const { tolerance, replay } = this.policy.hook;
    if (Math.abs(hook.made) > tolerance) return "bad";
    const prove = (): boolean => {
      if (hook.secret === "stranger's" || hook.tampered) return false;
      // It is over before it is forgotten.
      return !replay || this.first(`hook ${now + hook.made} ${method === "GET" ? "" : body}`, now, Infinity);
    };
    return { name: "hook", id: "hook", prove };
  }

  private signed(request: ProofRequest, listed: ReadonlySet<Name>, now: Seconds): Good | "bad" | undefined {
    const { signed, method, body } = request;
    if (signed === undefined || !listed.has("signed")) return undefined;
    const { tolerance, maxAge, replay } = this.policy.signed;
    const { key, created, expires, covers, digest, nonce, algorithm } = signed;
    if (key !== "ann's" || algorithm === "other" || covers === "the method alone") return "bad";
    if (replay === "nonce" && nonce === undefined) return "bad";
    if (created > tolerance || -created > maxAge) return "bad";
    if (expires !== undefined && -expires >= tolerance) return "bad";
    const hasBody = method === "POST";
    if (hasBody && digest === "none") return "bad";
    const end = Math.min(created + maxAge, expires === undefined ? Infinity : expires + tolerance);
    const once = (): boolean => {
      if (replay === "allow") return true;
      const message =
        replay === "nonce"
          ? ["nonce", nonce]
          : [method, now + created, expires && now + expires, covers, nonce, algorithm, hasBody && body];
      return this.first(`signed ${JSON.stringify(message)}`, now, end + 10);
    };
    if (!hasBody) return once() ? { name: "signed", id: "ann" } : "bad";
    return { name: "signed", id: "ann", prove: () => digest === "the body" && once() };
  }

  /** @param span how long it is remembered from now on */
  private first(what: string, now: Seconds, span: Seconds): boolean {
    const until = this.#used.get(what);
    if (until !== undefined && now < until) return false;
    this.#used.set(what, now + span);
    return true;
  }
}
