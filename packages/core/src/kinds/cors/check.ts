/** Origins that would open more than was meant, or nothing. */
import type { Report } from "../../errors/diagnostics.js";
import { pointerTo } from "../../lib/pointer.js";
import type { CorsSettings } from "../../model/policy.js";
import type { ResolvedPolicy } from "../../model/resolved.js";
import { parseOriginEntry } from "./origins.js";
import type { OriginEntry } from "./origins.js";

export function checkCors(policy: ResolvedPolicy, report: Report): void {
  // One setting of the document or a group holds on many routes, and is reported once.
  const seen = new Set<string>();
  for (const { cors } of [policy.unmatched, ...policy.routes]) {
    if (cors === undefined || cors.value === "none" || seen.has(cors.pointer)) continue;
    seen.add(cors.pointer);
    checkSettings(cors.value, cors.pointer, report);
  }
}

function checkSettings(settings: CorsSettings, pointer: string, report: Report): void {
  const kinds = new Set<OriginEntry["kind"]>();
  for (const [index, text] of settings.origins.entries()) {
    const at = pointerTo(pointer, "origins", index);
    const entry = parseOriginEntry(text);
    if (entry === undefined) reportOrigin(text, at, report);
    else {
      kinds.add(entry.kind);
      if (settings.credentials === true) checkCredentials(entry, at, report);
    }
  }
  if (kinds.has("any") && (kinds.has("exact") || kinds.has("wildcard"))) {
    report.warn(
      "redundant-origin",
      pointerTo(pointer, "origins"),
      "`*` admits every origin, so the others beside it say nothing",
      "keep `*`, or the list",
    );
  }
  checkNames("requestHeaders", settings.requestHeaders, pointer, report);
  checkNames("expose", settings.expose, pointer, report);
}

function reportOrigin(text: string, pointer: string, report: Report): void {
  const help = /^[a-z][a-z0-9+.-]*:\/\/[^/]+\/$/i.test(text)
    ? `an origin has no path: did you mean \`${text.slice(0, -1).toLowerCase()}\`?`
    : "write a scheme and a host in lower case, as in `https://shop.example.com`, or `https://*.example.com` for exactly one more label";
  report.error("invalid-origin", pointer, `\`${text}\` is no origin`, help);
}

function checkCredentials({ kind }: OriginEntry, pointer: string, report: Report): void {
  if (kind === "any") {
    report.error(
      "wildcard-with-credentials",
      pointer,
      "`*` with `credentials` would let every site act as its visitor",
      "list the origins, or leave `credentials` out",
    );
  } else if (kind === "null") {
    report.error(
      "null-with-credentials",
      pointer,
      "`null` is the origin of every sandboxed frame, whoever wrote it",
      "leave `null` or `credentials` out",
    );
  }
}

/** Beside credentials a `*` there is a name like any other, and `Authorization` is never covered by it. */
function checkNames(
  key: string,
  names: readonly string[] | undefined,
  pointer: string,
  report: Report,
): void {
  for (const [index, name] of (names ?? []).entries()) {
    if (name !== "*") continue;
    report.error(
      "wildcard-header",
      pointerTo(pointer, key, index),
      `\`*\` in \`${key}\` means different things with and without credentials`,
      "name each header",
    );
  }
}
