/** Refuses settings that would clean nothing, and profiles that would let through what can run code. */
import { didYouMean } from "../../errors/did-you-mean.js";
import type { Report } from "../../errors/diagnostics.js";
import { pointerTo } from "../../lib/pointer.js";
import { Pointers } from "../../lib/pointer-set.js";
import { sortedEntries } from "../../lib/sorted.js";
import type { JsonSchema, PolicyDocument, SanitizeSettings, SharedSettings } from "../../model/policy.js";
import type { Placed, ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";
import { checkProfiles } from "./check-profiles.js";
import { htmlProfiles, TEXT } from "./profiles.js";
import { declaredIn, Reach } from "./reach.js";

export function checkSanitize(policy: ResolvedPolicy, report: Report): void {
  checkProfiles(policy.document, report);
  const known = [TEXT, ...htmlProfiles(policy.document).keys()];
  for (const placed of writtenIn(policy.document)) checkNames(placed, known, report);
  for (const route of policy.routes) {
    checkRequest(route, policy, report);
    checkResponse(route, policy, report);
  }
}

interface Written {
  readonly value: SanitizeSettings;
  readonly pointer: string;
}

const NOTHING: readonly Written[] = [];

/** Also where a nearer level replaces it. */
function writtenIn({ defaults, groups, routes }: PolicyDocument): readonly Written[] {
  return [
    ...(defaults === undefined ? [] : writtenAt(defaults, "", "defaults")),
    ...sortedEntries(groups).flatMap(([prefix, level]) => writtenAt(level, "/groups", prefix)),
    ...sortedEntries(routes).flatMap(([key, level]) => writtenAt(level, "/routes", key)),
  ];
}

function writtenAt({ request, response }: SharedSettings, base: string, key: string): readonly Written[] {
  const inward = request?.sanitize;
  const outward = response === false ? undefined : response?.sanitize;
  if (inward === undefined && outward === undefined) return NOTHING;
  const pointer = pointerTo(base, key);
  return [
    ...(inward === undefined ? [] : [{ value: inward, pointer: pointerTo(pointer, "request", "sanitize") }]),
    ...(outward === undefined
      ? []
      : [{ value: outward, pointer: pointerTo(pointer, "response", "sanitize") }]),
  ];
}

function checkNames(placed: Written, known: readonly string[], report: Report): void {
  for (const [pointer, name] of sortedEntries(placed.value)) {
    if (known.includes(name)) continue;
    report.error(
      "unknown-profile",
      pointerTo(placed.pointer, pointer),
      `unknown profile \`${name}\``,
      didYouMean(name, known) ?? `there are ${known.map((one) => `\`${one}\``).join(", ")}`,
    );
  }
}

/** Inherited pointers may match nothing: they are written for many routes. */
function checkRequest({ request, key }: ResolvedRoute, policy: ResolvedPolicy, report: Report): void {
  const { sanitize, body } = request;
  if (sanitize?.from !== "route") return;
  if (body === undefined) {
    report.error(
      "setting-without-effect",
      sanitize.pointer,
      `\`sanitize\` is about a body that is read, and \`${key}\` has no \`request.body\``,
      "write `request.body`, or leave the key out",
    );
    return;
  }
  checkReach(
    sanitize,
    [body.value],
    request.unknown === "allow",
    policy,
    "that the request's schema lets in",
    report,
  );
}

function checkResponse({ response }: ResolvedRoute, policy: ResolvedPolicy, report: Report): void {
  const { sanitize, body, bodies, events, nothing } = response;
  if (sanitize?.from !== "route" || (nothing !== undefined && events === undefined)) return;
  const schemas = bodies === undefined ? [] : Object.values(bodies.value);
  for (const placed of [body, events]) if (placed !== undefined) schemas.push(placed.value);
  if (schemas.length > 0)
    checkReach(sanitize, schemas, false, policy, "that the response schema lets out", report);
}

function checkReach(
  sanitize: Placed<SanitizeSettings>,
  schemas: readonly JsonSchema[],
  open: boolean,
  policy: ResolvedPolicy,
  where: string,
  report: Report,
): void {
  const texts = sortedEntries(sanitize.value).map(([pointer]) => pointer);
  const pointers = new Pointers(texts);
  const reached = schemas.map((schema) => new Reach(policy.schemas, pointers, open).from(schema));
  for (const [index, text] of texts.entries()) {
    const place = pointerTo(sanitize.pointer, text);
    if (!reached.some(({ matched }) => matched.has(index))) {
      const declared = schemas.flatMap((schema) => declaredIn(schema, policy.schemas));
      const message = `\`${text}\` matches nothing ${where}`;
      report.error("unmatched-sanitizing", place, message, didYouMean(text, declared));
    } else if (!reached.some(({ texts }) => texts.has(index))) {
      report.error(
        "no-text-to-sanitize",
        place,
        `\`${text}\` leads to no text: the schema has another type there`,
        "point at the texts themselves; `/*` and `/**` reach below",
      );
    }
  }
}
