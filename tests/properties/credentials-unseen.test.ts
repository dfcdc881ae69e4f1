/**
 * `secrets_never_leak`, for callers who prove more than a token: whatever they show, good or bad, stands in no event, log, metric, state of
 * health or inspected object, and in nothing that tools make of a log or of a request.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { createEngine, openTelemetry, type DecisionEvent, type RawRequest } from "@gatehouse/core";
import { virtualClock } from "@gatehouse/core/conformance";
import { decisionChannel, jsonLines, verifyLog } from "@gatehouse/core/node";
import { diagnose, formatDiagnosis, formatLogVerdict, formatReplay, replayLog } from "gatehouse";
import { expect, it } from "vitest";
import { ed25519Pair } from "../../packages/core/src/node/key-pair.js";
import { documentOf, Issuer, rawRequest, secrets, secretTexts, type Sending } from "../model/proof-wire.js";
import {
  NAMES,
  type ProofFacts,
  type ProofPolicy,
  type ProofRequest,
  type TokenFacts,
} from "../model/proofs.js";
import { through } from "./support.js";

const START = Date.UTC(2026, 5, 1, 12);

const policyOf = (kind: "jwt" | "opaque", certified: boolean): ProofPolicy => ({
  proving: { kind, algorithms: undefined, window: 60, nonceLife: 60 },
  bearer: { kind, certified },
  hook: { tolerance: 300, replay: true },
  signed: { tolerance: 30, maxAge: 300, replay: "refuse" },
  optional: false,
  alternatives: NAMES.map((name) => [name]),
});

const TOKEN: TokenFacts = {
  bound: "ann ES256",
  forAudience: true,
  over: false,
  forged: false,
  type: undefined,
};
const PROOF: ProofFacts = {
  key: "ann ES256",
  forged: false,
  forMethod: true,
  forTarget: true,
  forToken: true,
  made: 0,
  id: "an-id-of-a-proof-that-nobody-tells",
  nonce: "told",
};
const NOTHING: ProofRequest = {
  method: "POST",
  body: 1,
  site: undefined,
  authorization: undefined,
  proof: undefined,
  certificate: undefined,
  hook: undefined,
  signed: undefined,
};
const MESSAGE = {
  key: "ann's",
  created: 0,
  expires: undefined,
  covers: "target",
  digest: "the body",
  nonce: "a-nonce-of-a-message",
  algorithm: undefined,
} as const;

const dpop = (token: Partial<TokenFacts> = {}, proof: Partial<ProofFacts> = {}): Partial<ProofRequest> => ({
  authorization: { scheme: "DPoP", token: { ...TOKEN, ...token } },
  proof: { ...PROOF, ...proof },
});
const bearer = (token: Partial<TokenFacts>): Partial<ProofRequest> => ({
  authorization: { scheme: "Bearer", token: { ...TOKEN, ...token } },
  certificate: "ann",
});

/** The first learns the nonce. */
const ASKED: readonly Partial<ProofRequest>[] = [
  dpop(),
  dpop(),
  dpop(),
  dpop({}, { forged: true }),
  dpop({}, { key: "eve EdDSA" }),
  dpop({}, { forToken: false }),
  dpop({}, { nonce: "guessed" }),
  dpop({ forged: true }),
  dpop({ over: true }),
  dpop({ bound: undefined }),
  dpop({ bound: "both" }),
  bearer({}),
  bearer({ bound: undefined }),
  bearer({ bound: "ann's certificate" }),
  bearer({ bound: "ann's certificate", forAudience: false }),
  ...(["right", "wrong", "nobody's"] as const).map((password): Partial<ProofRequest> => ({
    authorization: { scheme: "Basic", password },
  })),
  ...(["new", "old", "stranger's"] as const).map((secret): Partial<ProofRequest> => ({
    hook: { secret, made: 0, tampered: false },
  })),
  { hook: { secret: "new", made: 0, tampered: false } },
  { signed: MESSAGE },
  { signed: MESSAGE },
  { signed: { ...MESSAGE, key: "forged" } },
  { signed: { ...MESSAGE, digest: "another" } },
];

const SHOWN = new Set(["authorization", "dpop", "x-sig", "signature", "content-digest"]);

/** What a request shows, in the pieces in which somebody could use it. */
function shownBy({ headers }: RawRequest): readonly string[] {
  const fields = headers as readonly (readonly [string, string])[];
  const values = fields.flatMap(([name, value]) => (SHOWN.has(name.toLowerCase()) ? [value] : []));
  const pieces = values.flatMap((value) => [value, ...value.split(/[ .,:]/u)]);
  return pieces.filter((piece) => piece.length >= 12 && piece !== "sha-256=");
}

it.each([
  ["jwt", false],
  ["jwt", true],
  ["opaque", false],
  ["opaque", true],
] as const)("of %s tokens, certificates asked for: %s", async (kind, certified) => {
  const policy = policyOf(kind, certified);
  const document = documentOf(policy);
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-unseen-"));
  const [clock, issuer] = [virtualClock(START), new Issuer()];
  const told: unknown[] = [];
  const note = (value: unknown): void => void told.push(value);
  const instrument = {
    add: (_value: number, attributes: object) => note(attributes),
    record: (_value: number, attributes: object) => note(attributes),
  };
  const meter = { createCounter: () => instrument, createHistogram: () => instrument };
  const span = { isRecording: () => true, setAttributes: note };
  const { privateKey, publicKey } = ed25519Pair();
  const file = join(folder, "decisions.jsonl");
  const log = await jsonLines({ file, chain: { key: { kid: "k", algorithm: "EdDSA", privateKey } } });
  subscribe("gatehouse.unseen", note);
  process.on("warning", note);
  const engine = await createEngine(document, {
    clock,
    secrets,
    fetch: issuer.fetch,
    trace: true,
    onDecision: (event: DecisionEvent) => note(event),
    onSecrets: note,
    sinks: [log, decisionChannel("gatehouse.unseen"), await openTelemetry({ meter, span: () => span })],
  });
  try {
    const shown = new Set<string>(secretTexts);
    const statuses = new Map<number | "admitted", number>();
    let nonce: string | undefined;
    for (const asked of ASKED) {
      const sending: Sending = { policy, issuer, now: clock.now() / 1000, start: START / 1000, nonce };
      const request = rawRequest({ ...NOTHING, ...asked }, sending);
      for (const piece of shownBy(request)) shown.add(piece);
      const { decision, shaped } = await through(engine, request);
      const fields = shaped?.headers ?? (decision.outcome === "refuse" ? decision.responseHeaders : []);
      // A nonce is told to be shown: it is the one thing that goes out, in its own field.
      nonce = fields.find(([name]) => name === "DPoP-Nonce")?.[1] ?? nonce;
      note(fields.filter(([name]) => name !== "DPoP-Nonce"));
      // The principal is the handler's: its claims are what the issuer said.
      note({ ...decision, principal: undefined, responseHeaders: undefined });
      const outcome = decision.outcome === "admit" ? "admitted" : decision.status;
      statuses.set(outcome, (statuses.get(outcome) ?? 0) + 1);
      const headers = (request.headers as readonly (readonly [string, string])[]).map(
        ([name, value]) => [name, value] as const,
      );
      const wire = { method: request.method, target: request.target, headers, body: undefined, https: true };
      note(formatDiagnosis(diagnose(document, { ...wire, ip: "127.0.0.1" }), { colour: false }));
    }
    if (nonce !== undefined) shown.add(nonce);
    shown.add(PROOF.id ?? "").add(MESSAGE.nonce);
    expect(statuses.get("admitted")).toBeGreaterThanOrEqual(5);
    expect(statuses.get(401)).toBeGreaterThanOrEqual(14);
    note([engine, engine.health()]);
    await log.close();
    const text = readFileSync(file, "utf8");
    const lines = text.trimEnd().split("\n");
    const jwk = { ...publicKey.export({ format: "jwk" }) };
    const verdict = await verifyLog(lines, [{ kid: "k", algorithm: "EdDSA", jwk }]);
    expect(verdict).toMatchObject({ decisions: ASKED.length, faults: [] });
    const report = await replayLog(lines, { ...document, name: "candidate" });
    note([log, verdict, formatLogVerdict(verdict), report]);
    for (const format of ["pretty", "json"] as const) note(formatReplay(report, format));
    const seen = `${text}\n${inspect(told, { depth: 30, showHidden: true, getters: true, maxStringLength: null, maxArrayLength: null })}`;
    expect(told.length).toBeGreaterThan(6 * ASKED.length);
    expect([...shown].filter((piece) => seen.includes(piece))).toEqual([]);
    const json = JSON.stringify([engine, told]);
    expect([...shown].filter((piece) => json.includes(piece))).toEqual([]);
  } finally {
    process.off("warning", note);
    unsubscribe("gatehouse.unseen", note);
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
