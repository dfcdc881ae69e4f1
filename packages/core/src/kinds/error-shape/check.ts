/** Refuses error settings that would name a code that does not exist, or tell what `expose` hides. */
import { ERRORS } from "../../errors/codes.js";
import type { Report } from "../../errors/diagnostics.js";
import { didYouMean } from "../../errors/did-you-mean.js";
import { isFieldName, isFramingField } from "../../lib/header-field.js";
import { pointerTo } from "../../lib/pointer.js";
import type { ResolvedErrors, ResolvedPolicy } from "../../model/resolved.js";
import { PLACEHOLDERS, placeholdersIn } from "./template.js";

/** Fields that mean something else, asked or answered; a caller's id must not decide about them, nor they be an id. */
const NOT_FOR_IDS: ReadonlySet<string> = new Set([
  "allow",
  "authorization",
  "cache-control",
  "clear-site-data",
  "cookie",
  "deprecation",
  "early-data",
  "expect",
  "forwarded",
  "host",
  "link",
  "location",
  "permissions-policy",
  "referrer-policy",
  "refresh",
  "retry-after",
  "server",
  "set-cookie",
  "strict-transport-security",
  "sunset",
  "vary",
  "www-authenticate",
  "x-content-type-options",
  "x-dns-prefetch-control",
  "x-download-options",
  "x-frame-options",
  "x-permitted-cross-domain-policies",
  "x-powered-by",
  "x-xss-protection",
]);

/** Beginnings of more of them. A list and no expression: of that, each start would pay for compiling. */
const FAMILIES_NOT_FOR_IDS = [
  "access-control-",
  "content-",
  "cross-origin-",
  "origin",
  "proxy-",
  "ratelimit",
  "sec-",
  "x-forwarded-",
] as const;

export function checkErrors(policy: ResolvedPolicy, report: Report): void {
  const seen = new Set<string>();
  const met = new Set<ResolvedErrors>();
  for (const route of [policy.unmatched, ...policy.routes]) {
    const { errors } = route;
    if (met.has(errors)) continue;
    met.add(errors);
    // One setting of the document or a group holds on many routes, and is reported once.
    const once = JSON.stringify([errors.typeBase, errors.correlation, errors.expose, errors.bodies?.pointer]);
    if (seen.has(once)) continue;
    seen.add(once);
    // The document's own settings come first, as those of the unmatched, so that they are blamed where they stand.
    const pointer = pointerTo(route.pointer, "errors");
    checkTypeBase(errors, pointer, seen, report);
    checkCorrelation(errors, pointer, policy, seen, report);
    checkTemplates(errors, report);
  }
}

function checkTypeBase(
  { typeBase }: ResolvedErrors,
  pointer: string,
  seen: Set<string>,
  report: Report,
): void {
  if (typeBase === undefined || seen.has(`typeBase ${typeBase}`)) return;
  seen.add(`typeBase ${typeBase}`);
  if (!/^[a-z][a-z0-9+.-]*:[\x21\x23-\x3b\x3d\x3f-\x7e]+$/iu.test(typeBase)) {
    report.error("invalid-type-base", `${pointer}/typeBase`, `\`${typeBase}\` is no absolute URI`);
  } else if (!/[/#:=?-]$/u.test(typeBase)) {
    report.error(
      "invalid-type-base",
      `${pointer}/typeBase`,
      `a code would run into \`${typeBase}\``,
      `did you mean \`${typeBase}/\`?`,
    );
  }
}

function isNotForIds(lower: string): boolean {
  return NOT_FOR_IDS.has(lower) || FAMILIES_NOT_FOR_IDS.some((beginning) => lower.startsWith(beginning));
}

function checkCorrelation(
  { correlation }: ResolvedErrors,
  pointer: string,
  policy: ResolvedPolicy,
  seen: Set<string>,
  report: Report,
): void {
  if (correlation === undefined || seen.has(`correlation ${correlation}`)) return;
  seen.add(`correlation ${correlation}`);
  const lower = correlation.toLowerCase();
  if (!isFieldName(correlation)) {
    report.error(
      "invalid-header",
      `${pointer}/correlation`,
      `\`${correlation}\` is no name of a header field`,
    );
  } else if (isFramingField(lower) || isNotForIds(lower)) {
    report.error("reserved-header", `${pointer}/correlation`, `\`${correlation}\` has a meaning of its own`);
  } else if (holdsCredential(policy, lower)) {
    report.error(
      "reserved-header",
      `${pointer}/correlation`,
      `\`${correlation}\` holds a credential, which would go out as an id, and into logs`,
      "name another header",
    );
  }
}

function holdsCredential({ authenticators }: ResolvedPolicy, lower: string): boolean {
  return [...authenticators.values()].some(
    ({ carrier }) => carrier.in === "header" && carrier.name === lower,
  );
}

function checkTemplates({ bodies, expose }: ResolvedErrors, report: Report): void {
  if (bodies === undefined) return;
  for (const [key, template] of Object.entries(bodies.value)) {
    const pointer = pointerTo(bodies.pointer, key);
    checkKey(key, pointer, report);
    for (const { name, pointer: place } of placeholdersIn(template, pointer)) {
      if (!PLACEHOLDERS.some((known) => known === name)) {
        report.error(
          "unknown-placeholder",
          place,
          `unknown placeholder \`{${name}}\``,
          didYouMean(name, PLACEHOLDERS) ??
            `known are ${PLACEHOLDERS.map((known) => `\`{${known}}\``).join(", ")}`,
        );
      } else if (expose === "none" && (name === "code" || name === "detail")) {
        report.error("exposed-code", place, `\`{${name}}\` would tell what \`"expose": "none"\` hides`);
      }
    }
  }
}

function checkKey(key: string, pointer: string, report: Report): void {
  if (Object.hasOwn(ERRORS, key) || /^[45][0-9]{2}$/u.test(key)) return;
  report.error(
    "unknown-error-code",
    pointer,
    `\`${key}\` is neither an error code nor a status from 400 to 599`,
    didYouMean(key, Object.keys(ERRORS)),
  );
}
