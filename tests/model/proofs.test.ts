/** The model of proofs beside the engine: policies, callers and times are drawn, the two must come to the same. */
import { checkPolicy, createEngine, type Engine } from "@gatehouse/core";
import { virtualClock } from "@gatehouse/core/conformance";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { through } from "../properties/support.js";
import { documentOf, Issuer, rawRequest, secrets, type Sending } from "./proof-wire.js";
import {
  NAMES,
  type HookFacts,
  type SignedFacts,
  ProofModel,
  type Name,
  type ProofFacts,
  type ProofKey,
  type ProofOutcome,
  type ProofPolicy,
  type ProofRequest,
  type TokenFacts,
} from "./proofs.js";

const runs = Number(process.env["GATEHOUSE_MODEL_RUNS"] ?? 200);
const START = Date.UTC(2026, 5, 1, 12);

const KEYS: readonly ProofKey[] = ["ann ES256", "ann EdDSA", "eve ES256", "eve EdDSA"];

/** Mostly the first. */
function mostly<T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof(
    { weight: 5, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  );
}

const alternatives: fc.Arbitrary<ProofPolicy["alternatives"]> = fc.uniqueArray(
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...NAMES).map((name): readonly Name[] => [name]) },
    // Of one field nobody can ask for two.
    {
      weight: 1,
      arbitrary: fc.constantFrom<readonly Name[]>(
        ["hook", "proving"],
        ["basic", "hook"],
        ["signed", "bearer"],
        ["signed", "hook"],
        ["hook", "signed", "basic"],
      ),
    },
  ),
  { minLength: 1, maxLength: 4, selector: (names) => names.join() },
);

const policies: fc.Arbitrary<ProofPolicy> = fc.record({
  proving: fc.record({
    kind: fc.constantFrom("jwt", "opaque"),
    algorithms: fc.constantFrom(
      undefined,
      ["ES256"] as const,
      ["EdDSA"] as const,
      ["EdDSA", "ES256"] as const,
    ),
    window: fc.constantFrom(3, 60),
    nonceLife: fc.constantFrom(undefined, undefined, 10, 60),
  }),
  bearer: fc.record({ kind: fc.constantFrom("jwt", "opaque"), certified: fc.boolean() }),
  hook: fc.record({ tolerance: fc.constantFrom(3, 300), replay: fc.boolean() }),
  signed: fc.record({
    tolerance: fc.constantFrom(1, 30),
    maxAge: fc.constantFrom(3, 300),
    replay: fc.constantFrom("refuse", "nonce", "allow"),
  }),
  optional: fc.boolean(),
  alternatives,
});

/** A good one; or one with a single thing that is otherwise, so that nothing else could be what refuses it; or with two. */
function otherwise<T extends object>(usual: T, changes: readonly Partial<T>[]): fc.Arbitrary<T> {
  const change = fc.constantFrom(...changes);
  return fc.oneof(
    { weight: 5, arbitrary: fc.constant(usual) },
    { weight: 4, arbitrary: change.map((one) => ({ ...usual, ...one })) },
    { weight: 1, arbitrary: fc.tuple(change, change).map(([one, two]) => ({ ...usual, ...one, ...two })) },
  );
}

const each = <const K extends string, const V>(key: K, ...values: readonly V[]): readonly Record<K, V>[] =>
  values.map((value) => ({ [key]: value }) as Record<K, V>);

const token = (bound: TokenFacts["bound"]): fc.Arbitrary<TokenFacts> =>
  otherwise<TokenFacts>({ bound, forAudience: true, over: false, forged: false, type: undefined }, [
    ...each("bound", undefined, "both", "ann's certificate", ...KEYS),
    { forAudience: false },
    { over: true },
    { forged: true },
    ...each("type", "DPoP", "DPoP", "Bearer", "Bearer"),
  ]);

const proof: fc.Arbitrary<ProofFacts> = fc
  .tuple(
    otherwise<ProofFacts>(
      {
        key: "ann ES256",
        forged: false,
        forMethod: true,
        forTarget: true,
        forToken: true,
        made: 0,
        id: undefined,
        nonce: "told",
      },
      [
        ...each("key", ...KEYS),
        { forged: true },
        { forMethod: false },
        { forTarget: false },
        { forToken: false },
        ...each("made", 3, -3, 4, -4, 60, -60, 61, -61),
        ...each("nonce", "none", "guessed"),
      ],
    ),
    fc.constantFrom(undefined, "a", "b"),
  )
  .map(([facts, id]) => ({ ...facts, id }));

const hook: fc.Arbitrary<HookFacts> = otherwise<HookFacts>({ secret: "new", made: 0, tampered: false }, [
  ...each("secret", "old", "stranger's"),
  ...each("made", -3, 3, 4, -4, 300, 301, -301),
  { tampered: true },
]);

const signed: fc.Arbitrary<SignedFacts> = fc
  .tuple(
    otherwise<SignedFacts>(
      {
        key: "ann's",
        created: 0,
        expires: undefined,
        covers: "target",
        digest: "the body",
        nonce: undefined,
        algorithm: undefined,
      },
      [
        ...each("key", "unknown", "forged"),
        ...each("created", 1, 2, -3, -4, 30, 31, -300, -301),
        ...each("expires", 1, 0, -1, -2, -29, -30, 400),
        ...each("covers", "parts of the target", "the method alone"),
        ...each("digest", "another", "another", "another", "none"),
        ...each("algorithm", "right", "other"),
      ],
    ),
    fc.constantFrom(undefined, "n1", "n2"),
  )
  .map(([facts, nonce]) => ({ ...facts, nonce }));

/** What is shown in `Authorization`, and what goes with it. */
const shown: fc.Arbitrary<Pick<ProofRequest, "authorization" | "proof" | "certificate">> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      authorization: fc.record({
        scheme: mostly<"DPoP" | "Bearer">("DPoP", "Bearer"),
        token: token("ann ES256"),
      }),
      proof: fc.option(proof, { nil: undefined, freq: 8 }),
      certificate: fc.constant(undefined),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      authorization: fc.record({
        scheme: mostly<"DPoP" | "Bearer">("Bearer", "DPoP"),
        token: fc.oneof(token(undefined), token("ann's certificate")),
      }),
      proof: fc.option(proof, { nil: undefined, freq: 1 }),
      certificate: fc.constantFrom("ann", "ann", "eve", undefined),
    }),
  },
  {
    // Each wrong one costs a hash.
    weight: 1,
    arbitrary: fc.record({
      authorization: fc.record({
        scheme: fc.constant("Basic" as const),
        password: mostly<"right" | "wrong" | "nobody's">("right", "wrong", "nobody's"),
      }),
      proof: fc.constant(undefined),
      certificate: fc.constant(undefined),
    }),
  },
);

/** One credential, or several; or what the policy asks for and something is wrong. */
const requests: fc.Arbitrary<ProofRequest> = fc
  .record({
    method: fc.constantFrom("GET" as const, "POST" as const),
    body: fc.constantFrom(1 as const, 2 as const),
    site: fc.constantFrom(undefined, "same-origin" as const, "cross-site" as const),
    shown,
    hook,
    signed,
    which: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(["shown"], ["shown"], ["hook"], ["signed"], []) },
      { weight: 2, arbitrary: fc.subarray(["shown", "hook", "signed"], { minLength: 2 }) },
    ),
  })
  .map(({ shown: credential, hook: webhook, signed: message, which, ...rest }) => {
    const with_ = new Set<string>(which);
    const none = { authorization: undefined, proof: undefined, certificate: undefined };
    return {
      ...rest,
      ...(with_.has("shown") ? credential : none),
      hook: with_.has("hook") ? webhook : undefined,
      signed: with_.has("signed") ? message : undefined,
    };
  });

interface Step {
  readonly request: ProofRequest;
  /** Seconds since the step before. */
  readonly wait: number;
}

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({ request: requests, wait: fc.constantFrom(0, 0, 0, 0, 1, 3, 7, 15, 61, 130) }),
  { minLength: 6, maxLength: 20 },
);

interface Told {
  readonly nonce: string;
  readonly at: number;
}

async function answer(
  engine: Engine,
  request: ProofRequest,
  sending: Sending,
): Promise<{ readonly outcome: ProofOutcome; readonly nonce: string | undefined }> {
  const { decision, shaped } = await through(engine, rawRequest(request, sending));
  const fields = shaped?.headers ?? (decision.outcome === "refuse" ? decision.responseHeaders : []);
  const nonce = fields.find(([name]) => name === "DPoP-Nonce")?.[1];
  if (decision.outcome === "admit") return { outcome: { admitted: decision.principal?.id ?? null }, nonce };
  return { outcome: { status: decision.status }, nonce };
}

const seen = new Map<string, number>();

async function disagreements(policy: ProofPolicy, history: readonly Step[]): Promise<readonly unknown[]> {
  const clock = virtualClock(START);
  const issuer = new Issuer();
  const engine = await createEngine(documentOf(policy), { clock, secrets, fetch: issuer.fetch });
  const model = new ProofModel(policy);
  const found: unknown[] = [];
  let told: Told | undefined;
  for (const { request, wait } of history) {
    clock.advance(wait * 1000);
    const now = clock.now() / 1000;
    const sending = { policy, issuer, now, start: START / 1000, nonce: told?.nonce };
    const expected = model.decide(request, now, told?.at);
    const { outcome, nonce } = await answer(engine, request, sending);
    if (nonce !== undefined) told = { nonce, at: now };
    if (JSON.stringify(outcome) !== JSON.stringify(expected)) found.push({ request, now, expected, outcome });
    const what =
      "status" in outcome ? String(outcome.status) : outcome.admitted === null ? "anonymous" : "admitted";
    seen.set(what, (seen.get(what) ?? 0) + 1);
  }
  await engine.close();
  return found;
}

describe("the model of proofs agrees with the engine", () => {
  it("each policy that is drawn is valid", () => {
    for (const policy of fc.sample(policies, { numRuns: 100, seed: 7 }))
      expect(checkPolicy(documentOf(policy)).filter(({ severity }) => severity === "error")).toEqual([]);
  });

  it("on histories of callers who prove what they are", { timeout: 240_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(policies, steps, async (policy, history) => {
        expect(await disagreements(policy, history)).toEqual([]);
      }),
      { numRuns: runs },
    );
    // It would prove nothing if nearly nobody came in.
    const total = [...seen.values()].reduce((sum, count) => sum + count, 0);
    for (const [what, share] of [
      ["admitted", 0.05],
      ["401", 0.2],
      ["anonymous", 0.05],
    ] as const)
      expect([what, (seen.get(what) ?? 0) / total > share]).toEqual([what, true]);
  });
});
