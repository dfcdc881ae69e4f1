/** Refuses own profiles that would let through what can run code, and names that nothing stands behind. */
import { didYouMean } from "../../errors/did-you-mean.js";
import type { Report } from "../../errors/diagnostics.js";
import {
  ATTRIBUTES,
  REFUSED_ATTRIBUTES,
  REFUSED_SCHEMES,
  REFUSED_TAGS,
  TAGS,
} from "../../lib/html-vocabulary.js";
import { pointerTo } from "../../lib/pointer.js";
import { sortedEntries } from "../../lib/sorted.js";
import type { HtmlProfileSettings, PolicyDocument } from "../../model/policy.js";

export function checkProfiles({ sanitizing }: PolicyDocument, report: Report): void {
  for (const [name, profile] of sortedEntries(sanitizing?.profiles)) {
    checkProfile(profile, pointerTo("/sanitizing/profiles", name), report);
  }
}

function checkProfile(profile: HtmlProfileSettings, pointer: string, report: Report): void {
  for (const [index, tag] of profile.tags.entries()) {
    checkTag(tag, pointerTo(pointer, "tags", index), report);
  }
  for (const [tag, names] of sortedEntries(profile.attributes)) {
    const place = pointerTo(pointer, "attributes", tag);
    if (tag !== "*" && !profile.tags.includes(tag)) {
      report.error(
        "setting-without-effect",
        place,
        `\`${tag}\` is not among the profile's \`tags\`, so none of its attributes stays`,
        didYouMean(tag, profile.tags) ?? "add it to `tags`, or leave it out here",
      );
    }
    for (const [index, name] of names.entries()) checkAttribute(name, pointerTo(place, index), report);
  }
  for (const [index, scheme] of (profile.schemes ?? []).entries()) {
    if (!REFUSED_SCHEMES.has(scheme)) continue;
    report.error(
      "unsafe-markup",
      pointerTo(pointer, "schemes", index),
      `URLs of \`${scheme}:\` are never let through: they run code, start programs, or bring a document of the sender's`,
    );
  }
}

function checkTag(tag: string, pointer: string, report: Report): void {
  const reason = REFUSED_TAGS.get(tag.toLowerCase());
  if (reason !== undefined) {
    report.error("unsafe-markup", pointer, `the element \`${tag}\` is never let through: ${reason}`);
  } else if (!TAGS.includes(tag)) unknown("element", tag, TAGS, pointer, report);
}

function checkAttribute(name: string, pointer: string, report: Report): void {
  const lower = name.toLowerCase();
  const reason = lower.startsWith("on") ? "it runs code" : REFUSED_ATTRIBUTES.get(lower);
  if (reason !== undefined) {
    report.error("unsafe-markup", pointer, `the attribute \`${name}\` is never let through: ${reason}`);
  } else if (!ATTRIBUTES.includes(name)) unknown("attribute", name, ATTRIBUTES, pointer, report);
}

/** What the engine does not know it cannot judge. */
function unknown(
  what: "element" | "attribute",
  name: string,
  known: readonly string[],
  pointer: string,
  report: Report,
): void {
  report.error(
    "unknown-markup",
    pointer,
    `\`${name}\` is no ${what} that a profile can let through`,
    didYouMean(name, known) ?? `the reference lists the ${what}s that there are`,
  );
}
