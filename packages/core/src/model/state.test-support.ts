import type { CompiledRoute } from "./compiled.js";
import type { Cookies, NormalizedRequest } from "./request.js";
import type { RequestState, TraceNote } from "./state.js";

/** A request state for unit tests of one kind: what is not given is what a plain `GET /` has. */
export interface StateOptions extends Partial<Omit<RequestState, "request" | "note" | "report">> {
  readonly request?: Partial<NormalizedRequest>;
  readonly headerFields?: Readonly<Record<string, string>>;
}

export interface TestState extends RequestState {
  readonly notes: TraceNote[];
  readonly reports: string[];
}

export function cookiesOf(
  values: Readonly<Record<string, string>> = {},
  repeated: readonly string[] = [],
): Cookies {
  return { values: new Map(Object.entries(values)), repeated: new Set(repeated) };
}

export function stateFor(options: StateOptions = {}): TestState {
  const { request, headerFields, ...rest } = options;
  const notes: TraceNote[] = [];
  const reports: string[] = [];
  const normalized: NormalizedRequest = {
    method: "GET",
    scheme: "http",
    host: "a.test",
    path: "/",
    segments: [""],
    queryText: "",
    headers: new Map(Object.entries(headerFields ?? {})),
    clientIp: "127.0.0.1",
    clientKey: "127.0.0.1",
    encrypted: false,
    upgrade: false,
    tls: undefined,
    contentLength: undefined,
    hasContent: false,
    ...request,
  };
  return {
    raw: { method: normalized.method, target: normalized.path, headers: [] },
    request: normalized,
    route: {} as CompiledRoute,
    allowedMethods: [],
    preflight: false,
    now: Date.UTC(2026, 5, 1, 12),
    monotonicUs: 1_000_000,
    id: "0197283c-0000-7000-8000-000000000000",
    correlation: "0197283c-0000-7000-8000-000000000000",
    identity: undefined,
    pending: undefined,
    params: Object.create(null) as Record<string, unknown>,
    query: Object.create(null) as Record<string, unknown>,
    headers: Object.create(null) as Record<string, unknown>,
    cookies: Object.create(null) as Record<string, unknown>,
    body: undefined,
    bodyBytes: undefined,
    bodyRead: false,
    bodyComplete: true,
    locals: {},
    failedOpen: undefined,
    countedBy: undefined,
    settlements: undefined,
    limitReport: undefined,
    signal: new AbortController().signal,
    queryParameters: new Map(),
    sentCookies: cookiesOf(),
    tracing: false,
    keep: () => undefined,
    ...rest,
    notes,
    reports,
    note: (note) => void notes.push(note),
    report: (message) => void reports.push(message),
  };
}
