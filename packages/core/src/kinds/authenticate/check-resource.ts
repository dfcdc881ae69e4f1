/** Cross-checks of the metadata that describes the API. */
import type { Report } from "../../errors/diagnostics.js";
import { pointerTo } from "../../lib/pointer.js";
import { PROTECTED_RESOURCE, wellKnownUrl } from "../../lib/well-known.js";
import type { ResolvedPolicy } from "../../model/resolved.js";
import { checkUrl } from "./check-remote.js";

export function checkResource({ document, routes }: ResolvedPolicy, report: Report): void {
  const settings = document.protectedResource;
  if (settings === undefined) return;
  const pointer = pointerTo("/protectedResource", "resource");
  const before = report.diagnostics.length;
  checkUrl(settings.resource, pointer, report);
  if (settings.resource.includes("?"))
    report.error("invalid-url", pointer, "the resource has a query, and its metadata would have none");
  for (const [index, url] of (settings.authorizationServers ?? []).entries())
    checkUrl(url, pointerTo("/protectedResource", "authorizationServers", index), report);
  if (report.diagnostics.length > before) return;
  const { pathname } = new URL(wellKnownUrl(settings.resource, PROTECTED_RESOURCE));
  for (const route of routes.filter(({ path }) => path === pathname)) {
    const message = `the policy answers \`${pathname}\` itself, because of \`protectedResource\``;
    report.error("unreachable-route", route.pointer, message, "leave one of the two out");
  }
}
