/** From one decision of a test to the points that it reached. */
import type { DecisionEvent, PolicyDocument, TraceStep } from "@gatehouse/core";
import { inRanges } from "@gatehouse/core/analysis";
import type { PolicyTestFile, SeenDecision, TestPerson, TestStep } from "@gatehouse/core/testing";
import { pointerTo, segmentsOf } from "../lib/pointer.js";
import type { RouteView } from "../lib/routes.js";
import { isList, isRecord } from "../lib/json.js";
import type { CoverageKind, CoveragePoint } from "./point.js";
import { answersOf, corsOf, eventsOf, fieldsOf, type CorsPlace, type TrustSettings } from "./points.js";
import { keywordsAt } from "./schemas.js";

export type Reach = (point: CoveragePoint) => void;

type Put = (kind: CoverageKind, pointer: string, outcome: string) => void;

/** @param view of the route that the request led to; undefined: to none */
export function reachedBy(
  { result, event, pointer }: SeenDecision,
  file: PolicyTestFile,
  view: RouteView | undefined,
  reach: Reach,
  { hosts = [], trust }: NonNullable<PolicyDocument["transport"]>,
): void {
  const put: Put = (kind, pointer, outcome) => reach({ kind, pointer, outcome });
  const step = stepAt(file, pointer);
  const trace = event.trace ?? [];
  ofRules(trace, reach);
  ofTransport(trace, result.request.headers, hosts, result.request.https, put);
  if (trust !== undefined) ofTrust(trust, result.request, put);
  const codes = [event.code, ...(event.observed ?? []).map(({ code }) => code)];
  for (const code of codes) if (code !== undefined) put("refusals", view?.pointer ?? "", code);
  // What is told of a path that has routes is told of the document, whichever route is near.
  if (event.code === "method-not-allowed" || event.code === "not-found") put("refusals", "", event.code);
  if (codes.includes("invalid-credential"))
    for (const name of authenticatorsOf(step, file, view))
      put("authenticators", pointerTo("/authenticators", name), "refused");
  if (view === undefined) return;
  if (event.concealed === true) put("refusals", view.pointer, "concealed");
  if (event.outcome === "admit") put("routes", view.pointer, "admitted");
  ofAuthentication(trace, view, put);
  ofInput(trace, result, view, put);
  ofCors(result, event, view, put);
  if (view.settings.upgrade !== undefined && result.request.upgrade) ofUpgrade(trace, view, put);
  const csrf = trace.find(({ stage }) => stage === "csrf");
  if (csrf?.rule !== undefined) put("csrf", csrf.rule, csrf.outcome === "pass" ? "passed" : "refused");
  if (event.outcome === "admit") {
    ofAnswer(step, result, view, put);
    ofEvents(step, result, view, put);
  }
}

function stepAt(file: PolicyTestFile, pointer: string): TestStep | undefined {
  const [, test = "", , step] = segmentsOf(pointer);
  const found = file.tests[Number(test)];
  return step === undefined ? found : found?.steps?.[Number(step)];
}

function ofRules(trace: readonly TraceStep[], reach: Reach): void {
  for (const { rule, came, part } of trace.flatMap(({ reached = [] }) => reached)) {
    if (part !== undefined) reach({ kind: "conditions", pointer: rule, outcome: came, range: part });
    else if (came === "admitted" || came === "refused")
      reach({ kind: "limits", pointer: rule, outcome: came });
    else if (came === "applied" || came === "exempted")
      reach({ kind: "redactions", pointer: rule, outcome: came });
    else if (came === "cleaned" || came === "kept")
      reach({ kind: "sanitizing", pointer: rule, outcome: came });
    else if (came === "accepted") reach({ kind: "authenticators", pointer: rule, outcome: came });
    else {
      reach({ kind: "authorize", pointer: rule, outcome: came });
      // A part that is missed is its entry missed.
      if (came === "missed")
        for (let at = rule.lastIndexOf("/"); at > 0; at = rule.lastIndexOf("/", at - 1))
          reach({ kind: "authorize", pointer: rule.slice(0, at), outcome: came });
    }
  }
}

function ofTransport(
  trace: readonly TraceStep[],
  headers: readonly (readonly [string, string])[],
  hosts: readonly string[],
  https: boolean,
  put: Put,
): void {
  for (const { stage, rule = "", outcome } of trace) {
    if (stage !== "transport" || !rule.startsWith("/transport/")) continue;
    if (outcome !== "pass") put("transport", rule, "refused");
    else if (rule === "/transport/https") put("transport", rule, "passed");
    else if (rule === "/transport/hosts") {
      const sent = headers.find(([name]) => name.toLowerCase() === "host")?.[1] ?? "";
      for (const [index, host] of hosts.entries())
        if (isHost(host, sent, https)) put("transport", pointerTo(rule, index), "passed");
    }
  }
}

/** Trusted is the peer of the socket, whatever stands in the chain behind it. */
function ofTrust(trust: TrustSettings, { headers, ip }: SeenDecision["result"]["request"], put: Put): void {
  const sent = new Set(headers.map(([name]) => name.toLowerCase()));
  const peers = [...trust.peers.keys()].filter((index) => inRanges(ip, [trust.peers[index] ?? ""]));
  for (const [name, fields] of Object.entries(fieldsOf(trust))) {
    if (!fields.some((field) => sent.has(field))) continue;
    put("transport", pointerTo("/transport/trust", name), peers.length > 0 ? "believed" : "ignored");
    for (const index of peers) put("transport", pointerTo("/transport/trust/peers", index), "believed");
  }
}

function ofUpgrade(trace: readonly TraceStep[], view: RouteView, put: Put): void {
  const stage = trace.find(({ stage, rule }) => stage === "transport" && rule === view.pointer);
  if (stage !== undefined)
    put("transport", pointerTo(view.pointer, "upgrade"), stage.outcome === "pass" ? "passed" : "refused");
}

function isHost(listed: string, sent: string, https: boolean): boolean {
  const port = https ? ":443" : ":80";
  const plain = (text: string): string =>
    (text.endsWith(port) ? text.slice(0, -port.length) : text).toLowerCase();
  if (!listed.startsWith("*.")) return plain(listed) === plain(sent);
  const dot = plain(sent).indexOf(".");
  return dot > 0 && plain(sent).slice(dot) === plain(listed).slice(1);
}

/** Whose credential it was that was refused: those of the person, or all that the route knows where it was sent by hand. */
function authenticatorsOf(
  step: TestStep | undefined,
  file: PolicyTestFile,
  view: RouteView | undefined,
): readonly string[] {
  const as = step?.as;
  const person: TestPerson | undefined = typeof as === "string" ? file.people?.[as] : as;
  const known = view === undefined || view.open ? [] : view.authenticators.flat();
  if (person?.authenticator !== undefined) return [person.authenticator];
  return person?.credentials === undefined ? known : Object.keys(person.credentials);
}

function ofAuthentication(trace: readonly TraceStep[], view: RouteView, put: Put): void {
  const stage = trace.find((one) => one.stage === "authenticate");
  if (stage?.outcome !== "pass") return;
  const accepted = new Set(
    (stage.reached ?? []).flatMap(({ rule, came }) =>
      came === "accepted" ? [segmentsOf(rule)[1] ?? ""] : [],
    ),
  );
  const written = view.setting("authenticate");
  if (accepted.size === 0 && written !== undefined) put("authenticators", written.pointer, "anonymous");
  const index = view.authenticators.findIndex((names) => names.every((name) => accepted.has(name)));
  if (index < 0) return;
  const offset = view.optional ? 1 : 0;
  if (written === undefined)
    put("authenticators", view.pointer, `accepted ${view.authenticators[index]?.join(" and ") ?? ""}`);
  else put("authenticators", pointerTo(written.pointer, index + offset), "accepted");
}

function ofInput(
  trace: readonly TraceStep[],
  { request }: SeenDecision["result"],
  view: RouteView,
  put: Put,
): void {
  const schemas = view.document.schemas ?? {};
  for (const { pointer, rule } of trace.flatMap(({ errors = [] }) => errors)) {
    const [part = "", ...segments] = segmentsOf(pointer);
    const written = view.inner("request", part);
    if (written === undefined) continue;
    const { root, rest } = rootOf(written, part, segments);
    for (const keyword of keywordsAt(root, rest, rule, schemas)) put("schemas", keyword, "refused");
  }
  const passed = (stage: TraceStep["stage"]): boolean =>
    trace.some((one) => one.stage === stage && one.outcome === "pass");
  const body = view.inner("request", "body");
  if (body !== undefined && request.content !== undefined && passed("validate"))
    put("schemas", body.pointer, "passed");
  if (!passed("parameters")) return;
  const sent = sentParameters(request, view);
  for (const part of ["params", "query", "headers", "cookies"] as const) {
    const map = view.inner("request", part);
    for (const name of Object.keys(isRecord(map?.value) ? map.value : {}))
      if (sent(part, name)) put("schemas", pointerTo(map?.pointer ?? "", name), "passed");
  }
}

/** Each parameter has a schema of its own. Names of header fields come back in lower case. */
function rootOf(
  { value, pointer }: { readonly value: unknown; readonly pointer: string },
  part: string,
  segments: readonly string[],
): {
  readonly root: { readonly schema: unknown; readonly pointer: string };
  readonly rest: readonly string[];
} {
  if (part === "body") return { root: { schema: value, pointer }, rest: segments };
  const [name = "", ...rest] = segments;
  const map = isRecord(value) ? value : {};
  const own =
    Object.keys(map).find((one) => (part === "headers" ? one.toLowerCase() === name : one === name)) ?? name;
  return { root: { schema: map[own], pointer: pointerTo(pointer, own) }, rest };
}

function sentParameters(
  { target, headers }: SeenDecision["result"]["request"],
  view: RouteView,
): (part: string, name: string) => boolean {
  const query = new URLSearchParams(target.includes("?") ? target.slice(target.indexOf("?") + 1) : "");
  const fields = new Map(headers.map(([name, value]) => [name.toLowerCase(), value]));
  return (part, name) => {
    if (part === "params") return view.path.split("/").includes(`:${name}`);
    if (part === "query") return query.has(name);
    if (part === "headers") return fields.has(name.toLowerCase());
    return (fields.get("cookie") ?? "").split(";").some((one) => one.trim().startsWith(`${name}=`));
  };
}

function ofCors(
  { request, headers }: SeenDecision["result"],
  event: DecisionEvent,
  view: RouteView,
  put: Put,
): void {
  const cors = corsOf(view);
  const field = (wanted: string): string | undefined =>
    request.headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
  const origin = field("origin");
  if (cors === undefined || origin === undefined) return;
  const granted = headers["access-control-allow-origin"] !== undefined;
  const preflight = event.outcome === "answer" && field("access-control-request-method") !== undefined;
  if (preflight) put("cors", cors.pointer, granted ? "preflight granted" : "preflight not granted");
  else if (!granted) put("cors", cors.pointer, "stranger");
  if (granted)
    for (const index of entriesFor(cors, origin))
      put("cors", pointerTo(cors.pointer, "origins", index), "allowed");
}

function entriesFor({ origins }: CorsPlace, origin: string): readonly number[] {
  return origins.flatMap((entry, index) => {
    if (entry === "*" || entry === origin) return [index];
    const [scheme, parent] = entry.split("://*.");
    if (parent === undefined || !origin.startsWith(`${scheme ?? ""}://`)) return [];
    const host = origin.slice((scheme ?? "").length + 3);
    return host.slice(host.indexOf(".") + 1) === parent ? [index] : [];
  });
}

function ofAnswer(
  step: TestStep | undefined,
  { body, status }: SeenDecision["result"],
  view: RouteView,
  put: Put,
): void {
  const answer = step?.answer?.body;
  if (answer === undefined) return;
  for (const { pointer } of answersOf(view)) {
    const [, of = ""] = /\/bodies\/([^/]+)$/u.exec(pointer) ?? [];
    if (
      of !== "" &&
      of !== String(status) &&
      of.replace(/xx$/iu, "") !== String(status).slice(0, 1) &&
      of !== "default"
    )
      continue;
    if (body !== undefined && JSON.stringify(body) !== "{}") put("responses", pointer, "left");
    if (isCut(answer, body)) put("responses", pointer, "cut");
  }
}

/** Of a stream of events: what the data of any was, and what is left of it. */
function ofEvents(
  step: TestStep | undefined,
  { text }: SeenDecision["result"],
  view: RouteView,
  put: Put,
): void {
  const events = eventsOf(view);
  const said = dataOf(step?.answer?.text);
  if (events === undefined || said.length === 0) return;
  const left = dataOf(text);
  if (left.some((data) => JSON.stringify(data) !== "{}")) put("responses", events.pointer, "left");
  if (left.length < said.length || said.some((data, index) => isCut(data, left[index])))
    put("responses", events.pointer, "cut");
}

/** What is no JSON is undefined: it does not leave. */
function dataOf(stream: string | undefined): readonly unknown[] {
  return (stream ?? "").split(/\r\n\r\n|\n\n|\r\r/u).flatMap((event) => {
    const lines = [...event.matchAll(/^data:(.*)$/gmu)].map(([, data = ""]) => data);
    if (lines.length === 0) return [];
    try {
      return [JSON.parse(lines.join("\n"))] as readonly unknown[];
    } catch {
      return [undefined];
    }
  });
}

/** Something of it is not in what left. */
function isCut(answer: unknown, left: unknown): boolean {
  if (isRecord(answer))
    return (
      !isRecord(left) ||
      Object.entries(answer).some(([name, value]) => !Object.hasOwn(left, name) || isCut(value, left[name]))
    );
  if (isList(answer))
    return (
      !isList(left) ||
      answer.length !== left.length ||
      answer.some((value, index) => isCut(value, left[index]))
    );
  return left === undefined;
}
