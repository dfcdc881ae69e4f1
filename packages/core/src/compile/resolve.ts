/**
 * Works out defaults, groups and `"inherited"`: document in, one complete rule set per route out.
 * Everything is put in the order of its name, so that re-ordering a document cannot change what comes out.
 */
import type { Report } from "../errors/diagnostics.js";
import { pointerTo } from "../lib/pointer.js";
import { sortedEntries } from "../lib/sorted.js";
import type { GroupSettings, JsonSchema, LimitSettings, PolicyDocument } from "../model/policy.js";
import type { Placed, ResolvedGroup, ResolvedPolicy, ResolvedRoute } from "../model/resolved.js";
import { resolveAuthenticators } from "./carriers.js";
import { parseRouteKey } from "./route-key.js";
import { type Resolving, resolveRoute, resolveUnmatched } from "./resolve-route.js";
import { closeRoles } from "./roles.js";
import { isKeyProblem, parsePrefix, standsIn } from "./path-pattern.js";

interface WrittenGroup {
  readonly group: ResolvedGroup;
  readonly settings: GroupSettings;
}

/**
 * @param document one that passed the checks of shape
 * @returns undefined when a key cannot be read or roles run in a circle: what would come out would not be what was written
 */
export function resolvePolicy(document: PolicyDocument, report: Report): ResolvedPolicy | undefined {
  const before = report.diagnostics.length;
  const policy = resolveLeniently(document, report);
  return report.diagnostics.length === before ? policy : undefined;
}

/** As far as it can be resolved, so that one bad key does not hide the other problems of a document. */
export function resolveLeniently(document: PolicyDocument, report: Report): ResolvedPolicy {
  const shared: Resolving = {
    document,
    mode: document.mode ?? "enforce",
    authenticators: resolveAuthenticators(document),
    limits: placeLimits(document),
    surroundings: new Map(),
  };
  const groups = readGroups(document, report);
  const { mode, authenticators, limits } = shared;
  return {
    document,
    mode,
    authenticators,
    limits,
    roles: closeRoles(document.roles ?? {}, report),
    schemas: withoutPrototype(document.schemas ?? {}),
    globalLimits: (document.global?.limits ?? []).map((value, index) => ({
      value,
      pointer: pointerTo("/global/limits", index),
      from: "document",
    })),
    groups: groups.map(({ group }) => group),
    routes: readRoutes(groups, shared, report),
    unmatched: resolveUnmatched(shared),
  };
}

function placeLimits(document: PolicyDocument): Map<string, Placed<LimitSettings>> {
  const limits = new Map<string, Placed<LimitSettings>>();
  for (const [name, value] of sortedEntries(document.limits)) {
    limits.set(name, { value, pointer: pointerTo("/limits", name), from: "document" });
  }
  return limits;
}

function readGroups(document: PolicyDocument, report: Report): WrittenGroup[] {
  const groups: WrittenGroup[] = [];
  for (const [prefix, settings] of sortedEntries(document.groups)) {
    const pointer = pointerTo("/groups", prefix);
    const parts = parsePrefix(prefix);
    if (isKeyProblem(parts)) report.error("invalid-group", pointer, parts.problem, parts.help);
    else groups.push({ group: { prefix, parts, pointer }, settings });
  }
  // Outermost first; where two are equally long they are told apart by name, and a route stands in one of them at most.
  return groups.sort((a, b) => a.group.parts.length - b.group.parts.length);
}

function readRoutes(groups: readonly WrittenGroup[], shared: Resolving, report: Report): ResolvedRoute[] {
  const routes: ResolvedRoute[] = [];
  for (const [key, settings] of sortedEntries(shared.document.routes)) {
    const pointer = pointerTo("/routes", key);
    const parsed = parseRouteKey(key);
    if (isKeyProblem(parsed)) {
      report.error("invalid-route", pointer, parsed.problem, parsed.help);
      continue;
    }
    const around = groups.filter(({ group }) => standsIn(parsed.pattern, group.parts));
    routes.push(resolveRoute({ key, pointer, parsed, settings, groups: around }, shared));
  }
  return routes;
}

/** `$ref`s are looked up by name; no prototype may answer. */
function withoutPrototype(
  schemas: Readonly<Record<string, JsonSchema>>,
): Readonly<Record<string, JsonSchema>> {
  return Object.assign(Object.create(null) as Record<string, JsonSchema>, schemas);
}
