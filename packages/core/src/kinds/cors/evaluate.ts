/** What cors does with a request, and which fields its answer carries. */
import type { HeaderSink, Stage } from "../../model/compiled.js";
import type { Answer, Refusal } from "../../model/outcome.js";
import type { RequestState } from "../../model/state.js";
import { ownOrigin } from "../../normalize/origin.js";
import type { OriginMatcher } from "./origins.js";

/** One route's cors, ready to be asked. */
export interface RouteCors {
  readonly rule: string;
  readonly matcher: OriginMatcher;
  readonly credentials: boolean;
  readonly enforce: boolean;
  /** Lower case. */
  readonly requestHeaders: ReadonlySet<string>;
  readonly requestHeadersText: string;
  /** `""`: nothing beyond what browsers show anyway. */
  readonly exposeText: string;
  readonly maxAgeText: string | undefined;
  /** Methods that belong to routes with another cors. */
  readonly foreignMethods: ReadonlySet<string>;
}

const NO_CONTENT: Answer = {
  kind: "answer",
  status: 204,
  // `Vary: Origin` is on every answer of the route; these two are what a preflight depends on besides.
  headers: [["Vary", "Access-Control-Request-Method, Access-Control-Request-Headers"]],
};

/** Always 204: whether it grants anything is said by the fields (Fetch standard, CORS-preflight fetch). */
export function preflightStage(cors: RouteCors): Stage {
  return { at: "cors", rule: cors.rule, run: () => NO_CONTENT };
}

/** For those who want strangers refused, not only unread. A page of the API's own origin is no stranger. */
export function enforceStage(cors: RouteCors): Stage {
  const refused: Refusal = {
    kind: "refusal",
    code: "origin-not-allowed",
    reason: "the origin is not listed and `enforce` is on",
    rule: cors.rule,
  };
  return {
    at: "cors",
    rule: cors.rule,
    run: ({ request }) => {
      const origin = request.headers.get("origin");
      if (origin === undefined || cors.matcher(origin) !== undefined) return undefined;
      return origin === ownOrigin(request) ? undefined : refused;
    },
  };
}

export function corsFields(cors: RouteCors): (state: RequestState, sink: HeaderSink) => void {
  const methodsText = methodsWriter(cors);
  return (state, sink) => {
    const origin = state.request.headers.get("origin");
    if (origin === undefined) return;
    const allowed = cors.matcher(origin);
    if (allowed === undefined) return;
    if (state.preflight) grant(cors, allowed, methodsText, state, sink);
    else {
      allow(cors, allowed, sink);
      if (cors.exposeText !== "") sink.set("Access-Control-Expose-Headers", cors.exposeText);
    }
  };
}

function allow(cors: RouteCors, origin: string, sink: HeaderSink): void {
  sink.set("Access-Control-Allow-Origin", origin);
  if (cors.credentials) sink.set("Access-Control-Allow-Credentials", "true");
}

/** All or nothing: half a grant would only differ in which error the page sees. */
function grant(
  cors: RouteCors,
  origin: string,
  methodsText: (state: RequestState) => string,
  state: RequestState,
  sink: HeaderSink,
): void {
  const asked = state.request.headers.get("access-control-request-headers");
  if (asked !== undefined && !allListed(asked, cors.requestHeaders)) return;
  allow(cors, origin, sink);
  sink.set("Access-Control-Allow-Methods", methodsText(state));
  if (cors.requestHeadersText !== "") sink.set("Access-Control-Allow-Headers", cors.requestHeadersText);
  if (cors.maxAgeText !== undefined) sink.set("Access-Control-Max-Age", cors.maxAgeText);
}

/** What a preflight is told of methods. Nearly all preflights of a route ask for one place, whose list a router hands over as one object. */
function methodsWriter({ foreignMethods }: RouteCors): (state: RequestState) => string {
  let latest: readonly string[] = [];
  let text = "";
  return ({ allowedMethods, request }) => {
    if (foreignMethods.size > 0) {
      const method = request.headers.get("access-control-request-method");
      return allowedMethods.filter((known) => known === method || !foreignMethods.has(known)).join(", ");
    }
    if (allowedMethods !== latest) {
      text = allowedMethods.join(", ");
      latest = allowedMethods;
    }
    return text;
  };
}

function allListed(asked: string, listed: ReadonlySet<string>): boolean {
  for (const part of asked.split(",")) {
    const name = part.trim().toLowerCase();
    if (name !== "" && !listed.has(name)) return false;
  }
  return true;
}
