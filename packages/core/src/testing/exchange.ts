/** One request through the engine, and all that came of it. */
import type {
  Admission,
  Decision,
  DecisionEvent,
  Exchange,
  HeaderField,
  RawResponse,
  TraceStep,
} from "../index.js";
import type { KnownPerson } from "./people.js";
import type { TestAnswer } from "./policy-test.gen.js";
import { fieldsOf, type SentRequest } from "./request.js";
import type { World } from "./world.js";

/** What came of a request. */
export interface PolicyResult {
  /** `admit`: the handler ran. */
  readonly outcome: "admit" | "refuse" | "answer";
  /** The stage that refused. */
  readonly stage: string | undefined;
  /** The code that the caller is told. */
  readonly code: string | undefined;
  /** What went out. */
  readonly status: number;
  /** Key of the route; null where there is none. */
  readonly route: string | null;
  /** JSON Pointer of the rule that refused. */
  readonly rule: string | undefined;
  /** The code that `conceal` kept from the caller. */
  readonly concealed: string | undefined;
  /** By lower-case name; of repeated fields all values, joined. */
  readonly headers: Readonly<Record<string, string>>;
  /** In the order in which they went out. */
  readonly fields: readonly HeaderField[];
  readonly text: string;
  /** The JSON of `text`; undefined where it is none. */
  readonly body: unknown;
  /** What the handler read, where it ran. */
  readonly handler: Admission | undefined;
  readonly decision: Decision;
  readonly trace: readonly TraceStep[];
  readonly request: SentRequest;
  /** What kept the test from being one: a check without a stub was asked. */
  readonly problems: readonly string[];
  /** Ends an exchange that is held open; else does nothing. */
  release(): void;
}

/** What is told once an exchange has ended. */
export type Ended = (result: PolicyResult, event: DecisionEvent) => void;

export interface ExchangeParts {
  /** Undefined: anonymous. */
  readonly person: KnownPerson | undefined;
  readonly answer: TestAnswer;
  /** The exchange of an admitted request stays open until its result is released. */
  readonly hold: boolean;
  readonly ended: Ended | undefined;
}

export async function exchangeIn(
  world: World,
  request: SentRequest,
  { person, answer, hold, ended }: ExchangeParts,
): Promise<PolicyResult> {
  // Nothing waits that need not: what a test does next is to find the request under way.
  const admitting = world.admit(person);
  if (admitting !== undefined) await admitting;
  world.takeEvent();
  const exchange = world.engine.open({
    method: request.method,
    target: request.target,
    headers: request.headers,
    remoteAddress: request.ip,
    encrypted: request.https,
    tls: request.tls,
    httpVersion: request.httpVersion,
    upgrade: request.upgrade,
  });
  const decision = await decide(exchange, request.content ?? NO_BYTES);
  const out =
    decision.outcome === "admit" ? shaped(exchange, decision, request, answer) : ownAnswer(decision);
  const end = (): DecisionEvent | undefined => {
    exchange.end(out.status);
    return world.takeEvent();
  };
  const held = hold && decision.outcome === "admit";
  const event = held ? undefined : end();
  const problems = world.takeProblems();
  const result = resultOf(request, decision, out, event, problems, () => {
    const late = end();
    if (late !== undefined) ended?.(result, late);
  });
  if (event !== undefined) ended?.(result, event);
  return result;
}

const NO_BYTES = new Uint8Array();

async function decide(exchange: Exchange, bytes: Uint8Array): Promise<Decision> {
  const head = await exchange.head();
  if (head.outcome !== "continue") return head;
  return exchange.body({ bytes, complete: bytes.length <= head.bodyLimit });
}

interface Out {
  readonly status: number;
  readonly headers: readonly HeaderField[];
  readonly text: string;
}

function ownAnswer(decision: Exclude<Decision, Admission>): Out {
  const { body: text = "" } = decision;
  return { status: decision.status, headers: decision.responseHeaders, text };
}

function shaped(exchange: Exchange, admission: Admission, request: SentRequest, answer: TestAnswer): Out {
  const { status, headers, body } =
    answer.throws !== undefined
      ? exchange.fail(new Error(answer.throws))
      : (request.content?.length ?? 0) > admission.bodyLimit
        ? // A handler that streams meets the limit while it reads, before it has an answer.
          exchange.overflow()
        : exchange.respond(rawAnswer(answer));
  const text = body === undefined ? "" : typeof body === "string" ? body : new TextDecoder().decode(body);
  return { status, headers, text };
}

/** Nothing said: an answer that no rule for bodies has to do with. */
function rawAnswer(answer: TestAnswer): RawResponse {
  const headers = fieldsOf(answer.headers ?? {});
  const isJson = "body" in answer;
  if (isJson && !headers.some(([name]) => name.toLowerCase() === "content-type"))
    headers.push(["Content-Type", "application/json"]);
  const body = isJson ? answer.body : answer.text;
  const status = answer.status ?? (Object.keys(answer).length === 0 ? 204 : 200);
  return { status, headers, ...(body === undefined ? {} : { body }) };
}

function resultOf(
  request: SentRequest,
  decision: Decision,
  { status, headers, text }: Out,
  event: DecisionEvent | undefined,
  problems: readonly string[],
  release: () => void,
): PolicyResult {
  const refused = decision.outcome === "refuse" ? decision : undefined;
  // To HEAD nothing is sent but the fields (RFC 9110 section 9.3.2).
  const sent = request.method === "HEAD" ? "" : text;
  return {
    outcome: decision.outcome,
    stage: refused?.stage,
    code: refused?.code,
    status,
    route: decision.route,
    rule: event?.rule,
    concealed: event?.concealed === true ? event.code : undefined,
    headers: joined(headers),
    fields: headers,
    text: sent,
    body: jsonOf(sent),
    handler: decision.outcome === "admit" ? decision : undefined,
    decision,
    trace: event?.trace ?? decision.trace ?? [],
    request,
    problems,
    release,
  };
}

function joined(fields: readonly HeaderField[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of fields) {
    const key = name.toLowerCase();
    const before = Object.hasOwn(headers, key) ? headers[key] : undefined;
    headers[key] = before === undefined ? value : `${before}, ${value}`;
  }
  return headers;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
