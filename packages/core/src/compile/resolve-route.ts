/** One route with all that applies to it, so that no kind ever looks up a group. */
import type {
  GroupSettings,
  LimitSettings,
  Mode,
  PolicyDocument,
  RouteSettings,
  SharedSettings,
} from "../model/policy.js";
import type { Placed, ResolvedAuthenticator, ResolvedGroup, ResolvedRoute } from "../model/resolved.js";
import { type Level, nearest, said } from "./levels.js";
import { type ResolvedAuthorize, resolveAuthenticate, resolveAuthorize } from "./resolve-access.js";
import { resolveErrors, resolveHeaders, resolveResponse } from "./resolve-answer.js";
import { resolveLimits } from "./resolve-limits.js";
import { resolveRequest } from "./resolve-request.js";
import type { RouteKey } from "./route-key.js";
import { documentLevel, Surroundings, type WholeLevel } from "./surroundings.js";

/** What all routes of a document share while they are resolved. */
export interface Resolving {
  readonly document: PolicyDocument;
  readonly mode: Mode;
  readonly authenticators: ReadonlyMap<string, ResolvedAuthenticator>;
  readonly limits: ReadonlyMap<string, Placed<LimitSettings>>;
  /** What stands around routes, by the innermost group: all routes of one group have the same around them. */
  readonly surroundings: Map<ResolvedGroup | undefined, Surroundings>;
}

/** A route as written, with the groups in which it stands, outermost first. */
export interface WrittenRoute {
  readonly key: string;
  readonly pointer: string;
  readonly parsed: RouteKey;
  readonly settings: RouteSettings;
  readonly groups: readonly { readonly group: ResolvedGroup; readonly settings: GroupSettings }[];
}

const LANGUAGE: { readonly from: "language" } = { from: "language" };

export function resolveRoute(route: WrittenRoute, shared: Resolving): ResolvedRoute {
  const { key, pointer, parsed, settings } = route;
  const around = surroundingsOf(route, shared);
  const own: Level<RouteSettings> = { settings, pointer, from: "route" };
  const levels = (): Level<SharedSettings>[] => [own, ...around.levels];
  const whole = (): WholeLevel[] => [own, ...around.whole];
  const farther = around.nearest;
  const audience = (said(own, "audience") ?? farther.audience)?.value ?? "api";
  const written = said(own, "authenticate") ?? farther.authenticate;
  const authenticate = resolveAuthenticate(written, shared.authenticators, pointer);
  const open = authenticate.mode === "none";
  const require = open ? [] : around.require;
  return {
    key,
    pointer,
    // One by one: objects that are made by spreading another are slow to make while code is cold.
    methods: parsed.methods,
    anyMethod: parsed.anyMethod,
    path: parsed.path,
    pattern: parsed.pattern,
    groups: around.groups,
    authenticate,
    authorize:
      resolveAuthorize(said(own, "authorize"), around.authorize, require, authenticate.mode, pointer) ??
      unsaid(pointer),
    require,
    // A route that says nothing of a thing shares what the others have that say nothing of it.
    limits:
      settings.limits === undefined ? around.limits(open) : resolveLimits(levels(), shared.limits, open),
    csrf: said(own, "csrf") ?? farther.csrf,
    request: settings.request === undefined ? around.request(pointer) : resolveRequest(levels(), pointer),
    response: settings.response === undefined ? around.response : resolveResponse(levels()),
    cors: said(own, "cors") ?? farther.cors,
    headers: settings.headers === undefined ? around.headers(audience) : resolveHeaders(whole(), audience),
    errors: settings.errors === undefined ? around.errors : resolveErrors(whole()),
    conceal: (said(own, "conceal") ?? farther.conceal)?.value ?? false,
    mode: (said(own, "mode") ?? farther.mode)?.value ?? shared.mode,
    shed: said(own, "shed") ?? farther.shed,
    audience,
    record: said(own, "record") ?? farther.record,
    deprecated: said(own, "deprecated") ?? farther.deprecated,
    transport: settings.transport,
    upgrade: settings.upgrade,
  };
}

function surroundingsOf(route: WrittenRoute, { document, limits, surroundings }: Resolving): Surroundings {
  const innermost = route.groups.at(-1)?.group;
  const known = surroundings.get(innermost);
  if (known !== undefined) return known;
  const made = new Surroundings(route.groups, document, limits);
  surroundings.set(innermost, made);
  return made;
}

/** Never served, since the checks refuse such a document; an empty list of entries admits nobody if it were. */
function unsaid(pointer: string): ResolvedAuthorize {
  return { value: [], pointer, ...LANGUAGE };
}

/** What holds where no route matched: the document's own cors, headers, errors and mode, and nothing to authorize. */
export function resolveUnmatched({ document, mode }: Resolving): ResolvedRoute {
  const whole = [documentLevel(document)];
  return {
    key: "",
    pointer: "",
    methods: [],
    anyMethod: false,
    path: "",
    pattern: [],
    groups: [],
    authenticate: { pointer: "", mode: "none", anyOf: [] },
    authorize: { value: "anyone", pointer: "", ...LANGUAGE },
    require: [],
    limits: [],
    csrf: undefined,
    request: resolveRequest([], ""),
    response: resolveResponse([]),
    cors: nearest(whole, "cors"),
    headers: resolveHeaders(whole, "api"),
    errors: resolveErrors(whole),
    conceal: false,
    mode,
    shed: undefined,
    audience: "api",
    record: undefined,
    deprecated: undefined,
    transport: undefined,
    upgrade: undefined,
  };
}
