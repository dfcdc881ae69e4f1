/** What stands around a route: its groups, the defaults and the document. Worked out once for all routes that have the same around them. */
import type {
  DefaultSettings,
  GroupSettings,
  LimitSettings,
  PolicyDocument,
  SharedSettings,
} from "../model/policy.js";
import type { Placed, ResolvedGroup, ResolvedRoute } from "../model/resolved.js";
import { type Level, nearest } from "./levels.js";
import { resolveRequire, type ResolvedRequire } from "./resolve-access.js";
import { resolveErrors, resolveHeaders, resolveResponse } from "./resolve-answer.js";
import { resolveLimits } from "./resolve-limits.js";
import { resolveRequest } from "./resolve-request.js";

/** What the document may say too, farthest of all. */
export type WholeLevel = Level<Pick<SharedSettings, "cors" | "csrf" | "headers" | "errors">>;

type Around = readonly { readonly group: ResolvedGroup; readonly settings: GroupSettings }[];

/** Keys of which the nearest level decides alone, and that a route seldom writes. */
function sharedKeys(levels: readonly Level<SharedSettings>[], whole: readonly WholeLevel[]) {
  return {
    authenticate: nearest(levels, "authenticate"),
    csrf: nearest(whole, "csrf"),
    cors: nearest(whole, "cors"),
    conceal: nearest(levels, "conceal"),
    mode: nearest(levels, "mode"),
    shed: nearest(levels, "shed"),
    audience: nearest(levels, "audience"),
    record: nearest(levels, "record"),
    deprecated: nearest(levels, "deprecated"),
  };
}

type Limits = ReadonlyMap<string, Placed<LimitSettings>>;

export class Surroundings {
  readonly groups: readonly ResolvedGroup[];
  readonly defaults: readonly Level<DefaultSettings>[];
  /** Nearest first. */
  readonly levels: readonly Level<SharedSettings>[];
  readonly whole: readonly WholeLevel[];
  readonly require: readonly ResolvedRequire[];
  readonly nearest: ReturnType<typeof sharedKeys>;
  readonly authorize: ReturnType<typeof nearest<DefaultSettings, "authorize">>;
  readonly response: ResolvedRoute["response"];
  readonly errors: ResolvedRoute["errors"];
  readonly #limits: Limits;
  #request: ResolvedRoute["request"] | undefined = undefined;
  readonly #headers = new Map<string, ResolvedRoute["headers"]>();
  readonly #limitsOf = new Map<boolean, ResolvedRoute["limits"]>();

  constructor(groups: Around, document: PolicyDocument, limits: Limits) {
    const inner = groupLevels(groups);
    this.groups = groups.map(({ group }) => group);
    this.defaults = defaultLevels(document);
    this.levels = [...inner, ...this.defaults];
    this.whole = [...this.levels, documentLevel(document)];
    this.require = resolveRequire(inner);
    this.nearest = sharedKeys(this.levels, this.whole);
    this.authorize = nearest(this.defaults, "authorize");
    this.response = resolveResponse(this.levels);
    this.errors = resolveErrors(this.whole);
    this.#limits = limits;
  }

  /** @param route what the language says by itself is said at the route */
  request(route: string): ResolvedRoute["request"] {
    const request = (this.#request ??= resolveRequest(this.levels, ""));
    const { types } = request;
    return types.from === "language" ? { ...request, types: { ...types, pointer: route } } : request;
  }

  headers(audience: ResolvedRoute["audience"]): ResolvedRoute["headers"] {
    const known = this.#headers.get(audience) ?? resolveHeaders(this.whole, audience);
    this.#headers.set(audience, known);
    return known;
  }

  limits(open: boolean): ResolvedRoute["limits"] {
    const known = this.#limitsOf.get(open) ?? resolveLimits(this.levels, this.#limits, open);
    this.#limitsOf.set(open, known);
    return known;
  }
}

/** Nearest first. */
function groupLevels(groups: Around): readonly Level<GroupSettings>[] {
  return groups
    .map(({ group, settings }): Level<GroupSettings> => ({ settings, pointer: group.pointer, from: "group" }))
    .toReversed();
}

function defaultLevels({ defaults }: PolicyDocument): readonly Level<DefaultSettings>[] {
  return defaults === undefined ? [] : [{ settings: defaults, pointer: "/defaults", from: "defaults" }];
}

export function documentLevel(document: PolicyDocument): WholeLevel {
  return { settings: document, pointer: "", from: "document" };
}
