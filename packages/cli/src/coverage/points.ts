/** The closed list of what tests can reach in a policy. docs/cli.md says the same in words. */
import type { PolicyDocument } from "@gatehouse/core";
import { resolveAuthenticators } from "@gatehouse/core/analysis";
import { operandsOf, parseCondition, partText, type ASTNode } from "../lib/cel.js";
import { pointerTo } from "../lib/pointer.js";
import { routesOf, type AuthorizeEntry, type RouteView } from "../lib/routes.js";
import { idOf, type CoverageKind, type CoveragePoint } from "./point.js";
import { isRecord } from "../lib/json.js";
import { keywordsIn } from "./schemas.js";

export function pointsOf(document: PolicyDocument): readonly CoveragePoint[] {
  const points = new Points();
  const views = routesOf(document);
  for (const view of views) {
    points.add("routes", view.pointer, "admitted");
    addAuthenticators(view, points);
    addAuthorize(view, points);
    addSchemas(view, points);
    addSanitizing(view, points);
    addResponses(view, points);
    addCors(view, points);
    addCsrf(view, points);
    addRefusals(view, points);
    if (view.settings.upgrade !== undefined)
      points.add("transport", pointerTo(view.pointer, "upgrade"), "passed", "refused");
  }
  addLimits(document, views, points);
  addShed(document, views, points);
  addTransport(document, views, points);
  points.add("refusals", "", "not-found");
  points.add("refusals", "", "method-not-allowed");
  return points.all();
}

class Points {
  readonly #found = new Map<string, CoveragePoint>();

  add(kind: CoverageKind, pointer: string, ...outcomes: readonly string[]): void {
    for (const outcome of outcomes) this.put({ kind, pointer, outcome });
  }

  /** Each operand of `&&`, `||`, `!` and `? :`, and the whole. Literals have one side only. */
  condition(text: unknown, pointer: string): void {
    const root = typeof text === "string" ? parseCondition(text) : undefined;
    if (typeof text === "string" && root !== undefined) this.part(root, text, pointer);
  }

  all(): readonly CoveragePoint[] {
    return [...this.#found.values()];
  }

  private part(node: ASTNode, text: string, pointer: string): void {
    if (node.op === "value") return;
    const range = [node.start, node.end] as const;
    for (const outcome of ["true", "false"])
      this.put({ kind: "conditions", pointer, outcome, part: partText(text, range), range });
    const parts =
      node.op === "||" || node.op === "&&"
        ? operandsOf(node, node.op)
        : node.op === "!_"
          ? [node.args]
          : node.op === "?:"
            ? node.args
            : [];
    for (const part of parts) this.part(part, text, pointer);
  }

  private put(point: CoveragePoint): void {
    const id = idOf(point);
    if (!this.#found.has(id)) this.#found.set(id, point);
  }
}

function addAuthenticators(view: RouteView, points: Points): void {
  if (view.open) return;
  const names = new Set(view.authenticators.flat());
  for (const name of names)
    points.add("authenticators", pointerTo("/authenticators", name), "accepted", "refused");
  const written = view.setting("authenticate");
  if (view.authenticators.length > 1) {
    const offset = view.optional ? 1 : 0;
    for (const index of view.authenticators.keys()) {
      const pointer = written === undefined ? view.pointer : pointerTo(written.pointer, index + offset);
      points.add(
        "authenticators",
        pointer,
        written === undefined ? `accepted ${view.authenticators[index]?.join(" and ") ?? ""}` : "accepted",
      );
    }
  }
  if (view.optional && written !== undefined) points.add("authenticators", written.pointer, "anonymous");
}

function addAuthorize(view: RouteView, points: Points): void {
  for (const { pointer, entries } of view.demands) {
    if (entries === "authenticated") {
      if (view.optional) points.add("authorize", pointer, "held", "missed");
    } else for (const one of entries) addEntry(one.entry, one.pointer, points);
  }
}

function addEntry(entry: AuthorizeEntry, pointer: string, points: Points): void {
  const { roles, scopes, claims, when, forbid, check, stepUp } = entry;
  const both = (...segments: readonly (string | number)[]): void =>
    points.add("authorize", pointerTo(pointer, ...segments), "held", "missed");
  if (Object.keys(entry).some((name) => name !== "forbid"))
    points.add("authorize", pointer, "held", "missed");
  if (roles !== undefined) {
    both("roles");
    if (roles.length > 1)
      for (const index of roles.keys()) points.add("authorize", pointerTo(pointer, "roles", index), "held");
  }
  if (scopes !== undefined) {
    both("scopes");
    if (scopes.length > 1)
      for (const index of scopes.keys())
        points.add("authorize", pointerTo(pointer, "scopes", index), "missed");
  }
  for (const path of Object.keys(claims ?? {})) both("claims", path);
  if (typeof check === "string") both("check");
  else if (check !== undefined) for (const index of check.keys()) both("check", index);
  if (stepUp !== undefined) {
    const { acr, maxAge } = stepUp;
    both("stepUp");
    // Of one of them alone that is said already.
    if (acr !== undefined && maxAge !== undefined)
      for (const name of ["acr", "maxAge"])
        points.add("authorize", pointerTo(pointer, "stepUp", name), "missed");
    if (acr !== undefined && acr.length > 1)
      for (const index of acr.keys())
        points.add("authorize", pointerTo(pointer, "stepUp", "acr", index), "held");
  }
  points.condition(when, pointerTo(pointer, "when"));
  points.condition(forbid, pointerTo(pointer, "forbid"));
}

function addLimits(document: PolicyDocument, views: readonly RouteView[], points: Points): void {
  const used = new Set([...(document.global?.limits ?? []), ...views.flatMap(({ limits }) => limits)]);
  for (const name of used) {
    const pointer = pointerTo("/limits", name);
    points.add("limits", pointer, "admitted", "refused");
    points.condition(document.limits?.[name]?.when, pointerTo(pointer, "when"));
  }
}

function addShed({ shed }: PolicyDocument, views: readonly RouteView[], points: Points): void {
  const classes = views.map((view) => view.setting("shed")?.value ?? "default");
  if (shed === undefined || classes.every((name) => name === "never")) return;
  points.add("limits", "/shed", "admitted", "refused");
  for (const name of Object.keys(shed.classes ?? {}))
    if (classes.includes(name)) points.add("limits", pointerTo("/shed/classes", name), "admitted", "refused");
}

const PARAMETERS = ["params", "query", "headers", "cookies"] as const;

function addSchemas(view: RouteView, points: Points): void {
  const schemas = view.document.schemas ?? {};
  for (const part of PARAMETERS) {
    const map = view.inner("request", part);
    for (const [name, schema] of Object.entries(isRecord(map?.value) ? map.value : {})) {
      const pointer = pointerTo(map?.pointer ?? "", name);
      points.add("schemas", pointer, "passed");
      for (const keyword of keywordsIn(schema, pointer, schemas, "text"))
        points.add("schemas", keyword, "refused");
    }
  }
  const body = view.inner("request", "body");
  if (body === undefined) return;
  points.add("schemas", body.pointer, "passed");
  for (const keyword of keywordsIn(body.value, body.pointer, schemas, "json"))
    points.add("schemas", keyword, "refused");
}

function addSanitizing(view: RouteView, points: Points): void {
  const sides = [
    view.inner("request", "body") === undefined ? undefined : view.inner("request", "sanitize"),
    answersOf(view).length === 0 && eventsOf(view) === undefined
      ? undefined
      : view.inner("response", "sanitize"),
  ];
  for (const side of sides)
    for (const place of Object.keys(isRecord(side?.value) ? side.value : {}))
      points.add("sanitizing", pointerTo(side?.pointer ?? "", place), "cleaned", "kept");
}

function addResponses(view: RouteView, points: Points): void {
  const redact = view.inner("response", "redact");
  for (const [text, rule] of Object.entries(isRecord(redact?.value) ? redact.value : {})) {
    const pointer = pointerTo(redact?.pointer ?? "", text);
    points.add("redactions", pointer, "applied");
    if (!isRecord(rule) || !("unless" in rule || "when" in rule)) continue;
    points.add("redactions", pointer, "exempted");
    points.condition(rule["when"], pointerTo(pointer, "when"));
    points.condition(rule["unless"], pointerTo(pointer, "unless"));
    if (isRecord(rule["unless"]))
      points.condition(rule["unless"]["when"], pointerTo(pointer, "unless", "when"));
  }
  const schemas = view.document.schemas ?? {};
  const events = eventsOf(view);
  for (const place of events === undefined ? answersOf(view) : [...answersOf(view), events]) {
    points.add("responses", place.pointer, "left", "cut");
    for (const keyword of keywordsIn(place.value, place.pointer, schemas, "redact"))
      points.add("redactions", keyword, "applied");
  }
}

/** Schemas of what a route answers: the one that stands for all statuses, or one for each. */
export function answersOf(view: RouteView): readonly { readonly pointer: string; readonly value: unknown }[] {
  if (view.setting("response")?.value === false) return [];
  const body = view.inner("response", "body");
  if (body !== undefined) return [body];
  const bodies = view.inner("response", "bodies");
  return Object.entries(isRecord(bodies?.value) ? bodies.value : {}).map(([status, value]) => ({
    pointer: pointerTo(bodies?.pointer ?? "", status),
    value,
  }));
}

/** Schema of what each event of a stream lets out. Nearer than `"response": false` it holds in spite of that. */
export function eventsOf(view: RouteView): { readonly pointer: string; readonly value: unknown } | undefined {
  return view.settings.response === false ? undefined : view.inner("response", "events");
}

export interface CorsPlace {
  readonly pointer: string;
  readonly origins: readonly string[];
  readonly enforce: boolean;
}

/** Undefined: none. */
export function corsOf(view: RouteView): CorsPlace | undefined {
  const { cors: whole } = view.document;
  const written =
    view.setting("cors") ?? (whole === undefined ? undefined : { value: whole, pointer: "/cors" });
  if (written === undefined || written.value === "none") return undefined;
  return {
    pointer: written.pointer,
    origins: written.value.origins,
    enforce: written.value.enforce === true,
  };
}

function addCors(view: RouteView, points: Points): void {
  const cors = corsOf(view);
  if (cors === undefined) return;
  for (const index of cors.origins.keys())
    points.add("cors", pointerTo(cors.pointer, "origins", index), "allowed");
  points.add("cors", cors.pointer, "preflight granted");
  // Where everybody is listed nobody is a stranger.
  if (!cors.origins.includes("*")) points.add("cors", cors.pointer, "preflight not granted", "stranger");
}

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

function addCsrf(view: RouteView, points: Points): void {
  const { csrf: whole } = view.document;
  const known = resolveAuthenticators(view.document);
  const ambient = view.authenticators.flat().some((name) => known.get(name)?.carrier.ambient === true);
  const written =
    view.setting("csrf") ?? (whole === undefined ? undefined : { value: whole, pointer: "/csrf" });
  const forged = view.methods.some((method) => !SAFE.has(method)) || view.settings.upgrade !== undefined;
  if (!forged || written?.value === "off") return;
  if ((!ambient || view.open) && written?.value.always !== true) return;
  const pointer = written?.pointer ?? view.setting("authenticate")?.pointer ?? view.pointer;
  points.add("csrf", pointer, "passed", "refused");
}

function addTransport(document: PolicyDocument, views: readonly RouteView[], points: Points): void {
  const { transport } = document;
  addTrust(transport?.trust, points);
  if (views.every(({ settings }) => settings.transport === "any")) return;
  if (transport?.https !== "off") points.add("transport", "/transport/https", "passed", "refused");
  for (const index of transport?.hosts?.keys() ?? [])
    points.add("transport", pointerTo("/transport/hosts", index), "passed");
  if (transport?.hosts !== undefined) points.add("transport", "/transport/hosts", "refused");
}

/** What a trusted proxy says is believed, and what anybody else says is not. */
function addTrust(trust: TrustSettings | undefined, points: Points): void {
  if (trust === undefined) return;
  const names = Object.keys(fieldsOf(trust));
  // With `ipv6Prefix` alone nobody is believed anything.
  for (const index of names.length > 0 ? trust.peers.keys() : [])
    points.add("transport", pointerTo("/transport/trust/peers", index), "believed");
  for (const name of names)
    points.add("transport", pointerTo("/transport/trust", name), "believed", "ignored");
}

export type TrustSettings = NonNullable<NonNullable<PolicyDocument["transport"]>["trust"]>;

/** By key of `trust`: the fields in which a proxy says it, in lower case. */
export function fieldsOf({
  header,
  scheme,
  host,
  clientCert,
}: TrustSettings): Readonly<Record<string, readonly string[]>> {
  const family = header?.toLowerCase();
  const own = family === "x-forwarded-for" ? [family, "x-forwarded-proto"] : [family ?? ""];
  return {
    ...(family === undefined ? {} : { header: own }),
    ...(scheme === undefined ? {} : { scheme: [scheme.toLowerCase()] }),
    ...(host === true ? { host: family === "forwarded" ? [family] : ["x-forwarded-host"] } : {}),
    ...(clientCert === undefined ? {} : { clientCert: [clientCert.toLowerCase()] }),
  };
}

function addRefusals(view: RouteView, points: Points): void {
  const refuses = (...codes: readonly string[]): void => points.add("refusals", view.pointer, ...codes);
  const entries = view.demands.flatMap(({ entries }) =>
    entries === "authenticated" ? [] : entries.map(({ entry }) => entry),
  );
  if (!view.open && (!view.optional || view.demands.length > 0)) refuses("unauthenticated");
  if (entries.some(({ scopes }) => scopes !== undefined)) refuses("insufficient-scope");
  if (entries.some(({ stepUp }) => stepUp !== undefined)) refuses("insufficient-authentication");
  if (entries.some((entry) => Object.keys(entry).some((name) => name !== "scopes" && name !== "stepUp")))
    refuses("forbidden");
  if (view.setting("conceal")?.value === true) refuses("concealed");
  if (PARAMETERS.some((part) => hasChecked(view, part))) refuses("invalid-parameters");
  if (corsOf(view)?.enforce === true) refuses("origin-not-allowed");
  if (view.inner("request", "body") === undefined) return;
  refuses("invalid-body", "malformed-body", "unsupported-media-type", "body-too-large");
  if (view.inner("request", "bodyOptional")?.value !== true) refuses("missing-body");
}

/** A path parameter without a rule refuses nothing; of the query what nobody knows is refused too. */
function hasChecked(view: RouteView, part: (typeof PARAMETERS)[number]): boolean {
  const map = view.inner("request", part);
  if (!isRecord(map?.value)) return false;
  if (part === "query") return true;
  const { document } = view;
  return Object.entries(map.value).some(
    ([name, schema]) =>
      keywordsIn(schema, pointerTo(map.pointer, name), document.schemas ?? {}, "text").length > 0,
  );
}
