/** Refuses settings of `request` that could only misfire while serving: each would refuse what it describes, or do nothing. */
import { didYouMean } from "../../errors/did-you-mean.js";
import type { Report } from "../../errors/diagnostics.js";
import { pointerTo } from "../../lib/pointer.js";
import type { RequestSettings } from "../../model/policy.js";
import type { CheckedPolicy, ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";
import { isJsonType } from "../../normalize/media-type.js";
import { checkParameters } from "./check-parameters.js";
import { checkSchemas } from "./check-schemas.js";
import { WITHOUT_CONTENT } from "./content.js";

export function checkValidate(policy: CheckedPolicy, report: Report): void {
  // One setting of a group or of the defaults holds on many routes, and is reported once.
  const seen = new Set<string>();
  const once: Once = (code, pointer, tell) => {
    const key = `${code} ${pointer}`;
    if (seen.has(key)) return;
    seen.add(key);
    tell(code, pointer);
  };
  checkParams(policy, report);
  checkParameters(policy, report, once);
  checkSchemas(policy, report, once);
  for (const route of policy.routes) {
    checkTypes(route, report, once);
    checkBody(route, policy, report);
  }
}

/** Tells a finding unless it was told before. */
export type Once = (code: string, pointer: string, tell: (code: string, pointer: string) => void) => void;

/** A param of a group or of the defaults must be bound by one of the routes that take it. */
function checkParams(policy: ResolvedPolicy, report: Report): void {
  const bound = new Map<string, { readonly name: string; readonly known: Set<string>; found: boolean }>();
  for (const route of policy.routes) {
    const placed = route.request.params;
    for (const name of Object.keys(placed?.value ?? {})) {
      const pointer = pointerTo(placed?.pointer ?? "", name);
      const entry = bound.get(pointer) ?? { name, known: new Set<string>(), found: false };
      bound.set(pointer, entry);
      for (const part of route.pattern) if (part.kind === "param") entry.known.add(part.name);
      if (entry.known.has(name)) entry.found = true;
    }
  }
  for (const [pointer, { name, known, found }] of bound) {
    if (found) continue;
    report.error(
      "unknown-param",
      pointer,
      `no path under this key has a param \`:${name}\``,
      didYouMean(name, known),
    );
  }
}

/** The engine reads JSON alone. A body rule on another type would judge one reading while the handler makes another. */
function checkTypes({ request }: ResolvedRoute, report: Report, once: Once): void {
  if (request.body === undefined) return;
  for (const [index, type] of request.types.value.entries()) {
    if (isJsonType(type)) continue;
    once("unreadable-type", pointerTo(request.types.pointer, index), (code, pointer) =>
      report.error(
        code,
        pointer,
        `\`${type}\` is no JSON, and \`request.body\` must be read`,
        "leave the type out here, or `request.body` where this type is accepted",
      ),
    );
  }
}

function checkBody(route: ResolvedRoute, { document }: ResolvedPolicy, report: Report): void {
  const { request } = route;
  if (request.body === undefined) {
    const written = document.routes[route.key]?.request;
    if (written !== undefined) checkUnread(route, written, report);
    return;
  }
  const odd = route.methods.filter((method) => method === "GET" || method === "HEAD");
  if (odd.length > 0) {
    report.warn(
      "body-on-safe-method",
      request.body.pointer,
      `content of ${odd.join(" and ")} has no agreed meaning, and proxies drop it`,
      "put `request.body` on the routes of other methods",
    );
  }
}

/** What a route itself writes about a body that nothing reads. What it inherits was written for others too. */
function checkUnread(route: ResolvedRoute, written: RequestSettings, report: Report): void {
  const { request, pointer } = route;
  const idle = (key: string, message: string, help: string): void =>
    report.error("setting-without-effect", `${pointer}/request/${key}`, `\`${key}\` ${message}`, help);
  const unread = "is about a body that is read, and the route has no `request.body`";
  const mend = "write `request.body`, or leave the key out";
  if (written.bodyOptional !== undefined) idle("bodyOptional", unread, mend);
  if (written.maxDepth !== undefined) idle("maxDepth", unread, mend);
  if (written.unknown !== undefined && request.query === undefined) {
    const message = "acts on `request.body` and `request.query`, and the route has neither";
    idle("unknown", message, "write one of them, or leave the key out");
  }
  for (const guard of ["duplicateKeys", "loneSurrogates"] as const)
    if (written.sniff?.[guard] !== undefined) idle(`sniff/${guard}`, unread, mend);
  if (!route.methods.every((method) => WITHOUT_CONTENT.has(method))) return;
  const none = `is about content, and none may come with ${route.methods.join(" or ")}`;
  for (const key of ["types", "maxBody"] as const) if (written[key] !== undefined) idle(key, none, mend);
}
