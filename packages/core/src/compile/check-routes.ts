/** What only the resolved document shows: routes without an answer to "who may", groups without routes, keys that collide. */
import type { Report } from "../errors/diagnostics.js";
import { pointerTo } from "../lib/pointer.js";
import { sortedEntries } from "../lib/sorted.js";
import { compileRouter } from "../match/compile-routes.js";
import type { PolicyDocument, SharedSettings } from "../model/policy.js";
import type { ResolvedGroup, ResolvedPolicy, ResolvedRoute } from "../model/resolved.js";
import { standsIn } from "./path-pattern.js";
import { quote } from "./words.js";

export function checkRoutes(policy: ResolvedPolicy, report: Report): void {
  compileRouter(policy, {}, report);
  for (const route of policy.routes) {
    checkAccess(route, policy, report);
    checkClosed(route, policy, report);
  }
  checkGroups(policy, report);
  checkLevels(policy.document, report);
}

function checkAccess(route: ResolvedRoute, policy: ResolvedPolicy, report: Report): void {
  if (route.authenticate.mode === "none") return;
  if (policy.authenticators.size === 0 && route.authenticate.pointer === route.pointer) {
    report.error(
      "no-authenticator",
      route.pointer,
      "the route requires authentication, and the document has no authenticators",
      'declare one under `authenticators`, or open the route: `"authenticate": "none"`',
    );
    return;
  }
  const { authorize } = route;
  if (authorize.from !== "language" || route.require.length > 0) return;
  report.error(
    "missing-authorize",
    route.pointer,
    "the route authenticates and says nothing of `authorize`: being known is not being allowed",
    'say who may, here or by `require` of a group or in `defaults`; any principal is `"authorize": "authenticated"`',
  );
}

/** `/files/*` beside a group `/files/:name`: the group closes every path that the route could match. */
function checkClosed({ key, pattern, pointer }: ResolvedRoute, policy: ResolvedPolicy, report: Report): void {
  if (pattern.at(-1)?.kind !== "rest") return;
  const around = pattern.slice(0, -1);
  const closing = policy.groups.find(
    ({ parts }) =>
      parts.length === pattern.length && parts.at(-1)?.kind === "param" && standsIn(parts, around),
  );
  if (closing === undefined) return;
  report.error(
    "unreachable-route",
    pointer,
    `no request reaches ${quote(key)}: group ${quote(closing.prefix)} closes every path that it could match`,
    "let the route stand in the group, or shorten the group's prefix",
  );
}

/** A prefix that was mistyped protects nothing and looks as if it did. `{}` says that it is there to close its prefix. */
function checkGroups(policy: ResolvedPolicy, report: Report): void {
  const seen: ResolvedGroup[] = [];
  for (const group of policy.groups) {
    const twin = seen.find(
      ({ parts }) => parts.length === group.parts.length && standsIn(group.parts, parts),
    );
    if (twin !== undefined) {
      report.error(
        "duplicate-group",
        group.pointer,
        `group ${quote(group.prefix)} covers the same paths as ${quote(twin.prefix)}`,
        "make them one: names of parameters tell no paths apart",
      );
    }
    seen.push(group);
    const settings = policy.document.groups?.[group.prefix];
    if (settings === undefined || Object.keys(settings).length === 0) continue;
    if (policy.routes.some(({ groups }) => groups.includes(group))) continue;
    report.error(
      "empty-group",
      group.pointer,
      `group ${quote(group.prefix)} covers no route`,
      "mend the prefix, or write `{}` to do no more than close it",
    );
  }
}

/** Collisions inside one level; across levels the nearer simply replaces the farther. */
function checkLevels(document: PolicyDocument, report: Report): void {
  caseTwins(document.headers, "/headers", report);
  if (document.defaults !== undefined) checkLevel(document.defaults, "/defaults", report);
  for (const [prefix, settings] of sortedEntries(document.groups)) {
    checkLevel(settings, pointerTo("/groups", prefix), report);
  }
  for (const [key, settings] of sortedEntries(document.routes))
    if (settings.headers !== undefined || settings.request !== undefined)
      checkLevel(settings, pointerTo("/routes", key), report);
}

function checkLevel({ headers, request }: SharedSettings, pointer: string, report: Report): void {
  if (headers !== undefined) caseTwins(headers, pointerTo(pointer, "headers"), report);
  if (request?.headers !== undefined)
    caseTwins(request.headers, pointerTo(pointer, "request", "headers"), report);
}

/** Field names have no case (RFC 9110 section 5.1): of two spellings, one would silently win. */
function caseTwins(fields: object | undefined, pointer: string, report: Report): void {
  const seen = new Map<string, string>();
  for (const name of Object.keys(fields ?? {}).sort()) {
    const twin = seen.get(name.toLowerCase());
    if (twin !== undefined) {
      report.error(
        "duplicate-header",
        pointerTo(pointer, name),
        `${quote(name)} and ${quote(twin)} name one field`,
        "keep one of them",
      );
    }
    seen.set(name.toLowerCase(), name);
  }
}
