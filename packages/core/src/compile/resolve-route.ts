/** One route with all that applies to it, so that no kind ever looks up a group. */
import type {
  DefaultSettings,
  GroupSettings,
  LimitSettings,
  Mode,
  PolicyDocument,
  RouteSettings,
  SharedSettings,
} from "../model/policy.js";
import type { Placed, ResolvedAuthenticator, ResolvedGroup, ResolvedRoute } from "../model/resolved.js";
import { type Level, nearest } from "./levels.js";
import {
  type ResolvedAuthorize,
  resolveAuthenticate,
  resolveAuthorize,
  resolveRequire,
} from "./resolve-access.js";
import { resolveErrors, resolveHeaders, resolveResponse } from "./resolve-answer.js";
import { resolveLimits } from "./resolve-limits.js";
import { resolveRequest } from "./resolve-request.js";
import type { RouteKey } from "./route-key.js";

/** What all routes of a document share while they are resolved. */
export interface Resolving {
  readonly document: PolicyDocument;
  readonly mode: Mode;
  readonly authenticators: ReadonlyMap<string, ResolvedAuthenticator>;
  readonly limits: ReadonlyMap<string, Placed<LimitSettings>>;
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
  const { document } = shared;
  const groups = groupLevels(route);
  const own: Level<RouteSettings> = { settings, pointer, from: "route" };
  const defaults: Level<DefaultSettings>[] = defaultLevels(document);
  const levels: Level<SharedSettings>[] = [own, ...groups, ...defaults];
  const whole: Level<Pick<SharedSettings, "cors" | "csrf" | "headers" | "errors">>[] = [
    ...levels,
    documentLevel(document),
  ];
  const audience = nearest(levels, "audience")?.value ?? "api";
  const authenticate = resolveAuthenticate(nearest(levels, "authenticate"), shared.authenticators, pointer);
  const open = authenticate.mode === "none";
  const require = open ? [] : resolveRequire(groups);
  return {
    key,
    pointer,
    ...parsed,
    groups: route.groups.map(({ group }) => group),
    authenticate,
    authorize:
      resolveAuthorize(
        nearest([own], "authorize"),
        nearest(defaults, "authorize"),
        require,
        authenticate.mode,
        pointer,
      ) ?? unsaid(pointer),
    require,
    limits: resolveLimits(levels, shared.limits, open),
    csrf: nearest(whole, "csrf"),
    request: resolveRequest(levels, pointer),
    response: resolveResponse(levels),
    cors: nearest(whole, "cors"),
    headers: resolveHeaders(whole, audience),
    errors: resolveErrors(whole),
    conceal: nearest(levels, "conceal")?.value ?? false,
    mode: nearest(levels, "mode")?.value ?? shared.mode,
    shed: nearest(levels, "shed"),
    audience,
    record: nearest(levels, "record"),
    deprecated: nearest(levels, "deprecated"),
    transport: settings.transport,
    upgrade: settings.upgrade,
  };
}

/** Never served, since the checks refuse such a document; an empty list of entries admits nobody if it were. */
function unsaid(pointer: string): ResolvedAuthorize {
  return { value: [], pointer, ...LANGUAGE };
}

/** Nearest first. */
function groupLevels(route: WrittenRoute): Level<GroupSettings>[] {
  return route.groups
    .map(({ group, settings }): Level<GroupSettings> => ({ settings, pointer: group.pointer, from: "group" }))
    .toReversed();
}

function defaultLevels({ defaults }: PolicyDocument): Level<DefaultSettings>[] {
  return defaults === undefined ? [] : [{ settings: defaults, pointer: "/defaults", from: "defaults" }];
}

function documentLevel(
  document: PolicyDocument,
): Level<Pick<SharedSettings, "cors" | "csrf" | "headers" | "errors">> {
  return { settings: document, pointer: "", from: "document" };
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
