/** Turns a refusal into the whole answer that goes out. */
import { ERRORS } from "../errors/codes.js";
import type { Refusal } from "../model/outcome.js";
import type { HeaderField } from "../model/request.js";
import type { StageName } from "../stages.js";
import { owedHeaders } from "./header-plan.js";
import { lowerCase } from "./lower-case.js";
import type { ExchangeState } from "./state.js";

export interface ShapedRefusal {
  readonly status: number;
  readonly headers: HeaderField[];
  readonly body: string;
}

const CONCEALED_STAGES: ReadonlySet<StageName> = new Set(["authorize", "authorize-body", "check"]);

/** What a caller may see of a refusal: on a concealed route every 403 of these stages is the handler's own 404. */
export function concealed(state: ExchangeState, stage: StageName, refusal: Refusal): Refusal {
  if (!state.route.conceal || !CONCEALED_STAGES.has(stage) || statusOf(refusal) !== 403) return refusal;
  return {
    ...CONCEALED,
    reason: refusal.reason,
    ...(refusal.rule === undefined ? {} : { rule: refusal.rule }),
  };
}

export const CONCEALED: Refusal = { kind: "refusal", code: "not-found", reason: "concealed" };

export function shapeRefusal(
  state: ExchangeState,
  refusal: Refusal,
  utf8Length: (text: string) => number,
): ShapedRefusal {
  const status = statusOf(refusal);
  const { contentType, body, bytes } = state.route.response.errors.shape(refusal, status, state);
  const headers = fieldsOf(
    state,
    refusal,
    status,
    typeField(contentType),
    lengthField(bytes ?? utf8Length(body)),
  );
  return { status, headers, body: state.request.method === "HEAD" ? "" : body };
}

function statusOf({ status, code }: Refusal): number {
  return status ?? ERRORS[code].status;
}

function fieldsOf(
  state: ExchangeState,
  refusal: Refusal,
  status: number,
  type: HeaderField,
  length: HeaderField,
): HeaderField[] {
  const { route } = state;
  const { challenge } = route;
  const unchallenged = status === 401 && challenge.length > 0 && !hasChallenge(refusal);
  // In observe mode only a handler that failed comes here, and the policy adds no field of its own to the wire.
  if (route.observe) return unchallenged ? [...challenge, type, length] : [type, length];
  const plan = route.response.headers;
  if (!unchallenged) return owedHeaders(plan, plan.refusal, state, refusal.headers, type, length);
  return [...owedHeaders(plan, plan.refusal, state, refusal.headers), ...challenge, type, length];
}

const PROBLEM: HeaderField = ["Content-Type", "application/problem+json"];

function typeField(contentType: string): HeaderField {
  return contentType === PROBLEM[1] ? PROBLEM : ["Content-Type", contentType];
}

/** Lengths of error bodies are few and small: each of these fields is made once. */
const LENGTHS: HeaderField[] = [];
const MOST_LENGTHS = 1024;

function lengthField(bytes: number): HeaderField {
  if (bytes >= MOST_LENGTHS) return ["Content-Length", String(bytes)];
  return (LENGTHS[bytes] ??= ["Content-Length", String(bytes)]);
}

const CHALLENGE = "WWW-Authenticate";

function hasChallenge({ headers }: Refusal): boolean {
  if (headers === undefined) return false;
  for (const [name] of headers) {
    // Ours are nearly always written like this, and then nothing is looked up.
    if (name === CHALLENGE || lowerCase(name) === "www-authenticate") return true;
  }
  return false;
}
