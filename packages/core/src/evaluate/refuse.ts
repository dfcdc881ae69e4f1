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
  const status = refusal.status ?? ERRORS[refusal.code].status;
  if (!state.route.conceal || status !== 403 || !CONCEALED_STAGES.has(stage)) return refusal;
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
  const plan = state.route.response.headers;
  const status = refusal.status ?? ERRORS[refusal.code].status;
  const { contentType, body, bytes } = state.route.response.errors.shape(refusal, status, state);
  // In observe mode only a handler that failed comes here, and the policy adds no field of its own to the wire.
  const headers = state.route.observe ? [] : owedHeaders(plan, plan.refusal, state, refusal.headers);
  if (status === 401 && !hasChallenge(refusal)) headers.push(...state.route.challenge);
  headers.push(typeField(contentType), lengthField(bytes ?? utf8Length(body)));
  return { status, headers, body: state.request.method === "HEAD" ? "" : body };
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

function hasChallenge({ headers }: Refusal): boolean {
  if (headers === undefined) return false;
  for (const field of headers) if (lowerCase(field[0]) === "www-authenticate") return true;
  return false;
}
