/** Refuses fields that would be malformed, or that another part of the policy owns and would silently replace. */
import type { Report } from "../../errors/diagnostics.js";
import { isFieldName, isFieldValue, isFramingField } from "../../lib/header-field.js";
import { parseInstant } from "../../lib/http-date.js";
import type { ResolvedHeaders, ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";

type Field = ResolvedHeaders["fields"] extends ReadonlyMap<string, infer F> ? F : never;

/** Lower-case name to the place that says what it says. */
const OWNED_ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ["allow", "the engine sets it on 405"],
  ["deprecation", "write `deprecated` on the route"],
  ["location", "the engine and the handler set it on redirects"],
  ["proxy-authenticate", "the engine is no proxy"],
  ["ratelimit", "`limits` say what it shows; `reveal` switches it off"],
  ["ratelimit-policy", "`limits` say what it shows; `reveal` switches it off"],
  ["retry-after", "`limits` say what it shows"],
  ["set-cookie", "a cookie belongs to one answer; the handler sets it"],
  ["strict-transport-security", "write `transport.hsts`"],
  ["sunset", "write `deprecated.sunset` on the route"],
  ["www-authenticate", "`authenticators` say what it shows"],
]);

export function checkHeaders(policy: ResolvedPolicy, report: Report): void {
  // One setting of the document or a group holds on many routes, and is reported once.
  const seen = new Set<string>();
  for (const route of [policy.unmatched, ...policy.routes]) {
    for (const [lower, field] of route.headers.fields) {
      if (seen.has(field.pointer)) continue;
      const found = report.diagnostics.length;
      checkField(lower, field, route, report);
      if (report.diagnostics.length > found || !dependsOnRoute(lower)) seen.add(field.pointer);
    }
    if (route.deprecated !== undefined && !seen.has(route.deprecated.pointer)) {
      seen.add(route.deprecated.pointer);
      checkDeprecated(route.deprecated, report);
    }
  }
}

/** Whether it may be removed is another question on open routes. */
function dependsOnRoute(lower: string): boolean {
  return lower === "cache-control";
}

function checkField(
  lower: string,
  { name, value, pointer }: Field,
  route: ResolvedRoute,
  report: Report,
): void {
  if (!isFieldName(name)) {
    report.error("invalid-header", pointer, `\`${name}\` is no name of a header field`);
    return;
  }
  const owner = ownerOf(lower, route);
  if (owner !== undefined) {
    report.error("reserved-header", pointer, `\`${name}\` is not for \`headers\` to decide`, owner);
    return;
  }
  const word = value.toLowerCase();
  if (word !== value && (word === "keep" || word === "remove")) {
    report.error(
      "invalid-header",
      pointer,
      `\`${value}\` would go out as a value`,
      `did you mean \`${word}\`?`,
    );
  } else if (!isFieldValue(value)) {
    report.error(
      "invalid-header",
      pointer,
      `the value of \`${name}\` is empty, or has a line break, a control character or a letter beyond ASCII`,
      'to take the field out of every answer, write `"remove"`',
    );
  } else if (lower === "vary" && (value === "remove" || value === "keep")) {
    report.error(
      "reserved-header",
      pointer,
      "`Vary` names what answers depend on and is always merged",
      "leave it out",
    );
  } else if (lower === "cache-control" && value === "remove" && route.authenticate.mode !== "none") {
    report.error(
      "reserved-header",
      pointer,
      "without `Cache-Control` a cache may store what one caller was shown",
      'write a value, or `"keep"` to leave it to the handler',
    );
  }
}

function ownerOf(lower: string, route: ResolvedRoute): string | undefined {
  if (isFramingField(lower))
    return "it frames or describes one message, and a constant would break the others";
  if (lower.startsWith("access-control-")) return "`cors` says who may read";
  if (lower === route.errors.correlation?.toLowerCase()) return "`errors.correlation` names it";
  return OWNED_ELSEWHERE.get(lower);
}

function checkDeprecated({ value, pointer }: NonNullable<ResolvedRoute["deprecated"]>, report: Report): void {
  const since = instant(value.since, `${pointer}/since`, report);
  const sunset = value.sunset === undefined ? undefined : instant(value.sunset, `${pointer}/sunset`, report);
  if (since !== undefined && sunset !== undefined && sunset < since) {
    // RFC 9745 section 4.
    report.error("invalid-date", `${pointer}/sunset`, "the sunset lies before the deprecation");
  }
}

function instant(text: string, pointer: string, report: Report): number | undefined {
  const time = parseInstant(text);
  if (time === undefined) {
    report.error(
      "invalid-date",
      pointer,
      `\`${text}\` is no date`,
      "write `2026-06-01` or `2026-06-01T12:00:00Z`",
    );
  }
  return time;
}
