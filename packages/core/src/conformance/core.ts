/** Runs a case on the pure core: no socket, no server. */
import {
  createEngine,
  createMemoryStore,
  readCertificate,
  type Admission,
  type Decision,
  type DecisionEvent,
  type Engine,
  type EngineOptions,
  type Exchange,
  type HeaderField,
  type PolicyDocument,
  type RawResponse,
  type ShapedResponse,
  type TlsFacts,
} from "../index.js";
import type { Case, CaseAnswer, CaseFile } from "./case.js";
import { clientCertificate } from "./certificate.js";
import { virtualClock } from "./clock.js";
import { differences, type Observed } from "./compare.js";
import { fetchFrom } from "./outside.js";
import { prepareCase, prepareRequest, type PreparedCase, type PreparedRequest } from "./prepare.js";

/** What differs from the case's expectation, in words; empty when it holds. */
export async function runOnCore(file: CaseFile, one: Case): Promise<string[]> {
  const prepared = prepareCase(file, one);
  const clock = virtualClock(prepared.at);
  let event: DecisionEvent | undefined;
  const engine = await engineFor(prepared, clock, (told) => void (event = told));
  const found: string[] = [];
  try {
    for (const [index, { step, wait }] of prepared.steps.entries()) {
      clock.advance(wait);
      prepared.loop.delay = step.delay ?? prepared.loop.delay;
      const place = prepared.steps.length > 1 ? `step ${index + 1}: ` : "";
      const others = (step.meanwhile ?? []).map((request) =>
        openFor(engine, prepareRequest(request, clock.now())),
      );
      for (const other of others) {
        const { outcome } = await other.head();
        if (outcome !== "continue") found.push(`${place}what is meanwhile under way came to: ${outcome}`);
      }
      const request = prepareRequest(step.request, clock.now());
      const seen = { ...(await exchange(engine, request, step.answer ?? {})), event };
      for (const other of others) other.end(0);
      found.push(...differences(step.expect, seen).map((difference) => place + difference));
    }
  } finally {
    await engine.close();
  }
  return found;
}

/** The engine of a case, with its secrets and its clock. */
export function engineFor(
  prepared: PreparedCase,
  clock: ReturnType<typeof virtualClock>,
  onDecision: (event: DecisionEvent) => void = () => undefined,
): Promise<Engine> {
  // A case may hold a wrong document on purpose: the engine's own checks are what refuses it.
  const options = { ...optionsFor(prepared, clock), onDecision };
  return createEngine(prepared.policy as PolicyDocument, options);
}

/** Room for the keys of any case: an empty table of the default size takes longer to make than most cases to run. */
const KEYS = 1024;

/** What the application of a case hands to its engine. */
export function optionsFor(
  { secrets, checks, outside, sinks, loop }: PreparedCase,
  clock: ReturnType<typeof virtualClock>,
): EngineOptions {
  const store = createMemoryStore({ maxKeys: KEYS });
  return {
    clock,
    checks,
    sinks,
    store,
    eventLoopDelay: () => loop.delay,
    fetch: fetchFrom(outside),
    secrets: { get: (reference) => secrets.get(reference) },
  };
}

function openFor(engine: Engine, request: PreparedRequest): Exchange {
  return engine.open({
    method: request.method,
    target: request.target,
    headers: request.headers,
    remoteAddress: request.ip,
    encrypted: request.https,
    httpVersion: request.httpVersion,
    upgrade: request.upgrade,
    tls: tlsOf(request),
  });
}

async function exchange(
  engine: Engine,
  request: PreparedRequest,
  answer: CaseAnswer,
): Promise<Omit<Observed, "event">> {
  const open = openFor(engine, request);
  const head = await open.head();
  const bytes = request.body ?? new Uint8Array();
  const decision =
    head.outcome === "continue" ? await open.body({ bytes, complete: bytes.length <= head.bodyLimit }) : head;
  if (decision.outcome !== "admit") {
    open.end(decision.status);
    return ofDecision(decision);
  }
  const shaped =
    answer.throws === undefined ? open.respond(rawAnswer(answer)) : open.fail(new Error(answer.throws));
  open.end(shaped.status);
  return ofAdmission(decision, shaped);
}

/** As a server would tell it that has verified the certificate, or has not. */
function tlsOf({ https, clientCertificate: name }: PreparedRequest): TlsFacts | undefined {
  if (!https) return undefined;
  const facts = { protocol: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256" };
  const verified =
    name === undefined || name === "forged" ? undefined : readCertificate(clientCertificate(name).der);
  return verified === undefined ? facts : { ...facts, clientCertificate: verified };
}

/** What the handler of a case answers. */
export function rawAnswer(answer: CaseAnswer): RawResponse {
  const headers: HeaderField[] = [...(answer.headers ?? [])];
  const body =
    answer.text ?? ("json" in answer ? answer.json : answer.status === undefined ? { ok: true } : undefined);
  if (
    answer.text === undefined &&
    body !== undefined &&
    !headers.some(([name]) => name.toLowerCase() === "content-type")
  ) {
    headers.push(["Content-Type", "application/json"]);
  }
  return { status: answer.status ?? 200, headers, ...(body === undefined ? {} : { body }) };
}

function ofDecision(decision: Exclude<Decision, Admission>): Omit<Observed, "event"> {
  return {
    outcome: decision.outcome,
    stage: decision.outcome === "refuse" ? decision.stage : undefined,
    code: decision.outcome === "refuse" ? decision.code : undefined,
    status: decision.status,
    headers: decision.responseHeaders,
    text: decision.body ?? "",
    admission: undefined,
    observed: [],
  };
}

function ofAdmission(admission: Admission, shaped: ShapedResponse): Omit<Observed, "event"> {
  const { body } = shaped;
  return {
    outcome: "admit",
    status: shaped.status,
    headers: shaped.headers,
    text: body === undefined ? "" : typeof body === "string" ? body : new TextDecoder().decode(body),
    admission,
    observed: (admission.observed ?? []).map(({ code }) => code),
  };
}
