/**
 * A sanitizer proves itself before an engine trusts it. DOMPurify returns its input untouched where it does not support the
 * DOM, and a DOM that reads markup as no browser does makes what it returns worthless; neither says so.
 */
import { ATTRIBUTES, TAGS } from "../lib/html-vocabulary.js";
import { HtmlSanitizerError, type HtmlProfile } from "../ports/html-sanitizer.js";
import { ATTACKS, HARMLESS } from "./html-attacks.js";
import type { HtmlCleaner } from "./html-cleaner.js";
import { type HtmlRules, isWithin, rulesOf } from "./html-rules.js";

/** All that a policy could ever allow. */
export const WIDEST: HtmlProfile = {
  tags: TAGS,
  attributes: { "*": ATTRIBUTES },
  schemes: ["http", "https", "mailto"],
};

const HELP = "install jsdom 20 or newer and a current DOMPurify: `npm install jsdom dompurify`";

/** @throws HtmlSanitizerError */
export function prove(cleaner: HtmlCleaner): void {
  const rules = rulesOf(WIDEST);
  for (const [name, html] of ATTACKS)
    if (!withstands(cleaner, html, rules)) fail(`the attack \`${name}\` passes it`);
  for (const html of HARMLESS) {
    const result = cleaner.clean([{ html, profiles: [WIDEST] }]);
    if (result.kind !== "clean" || result.texts[0] !== html) fail("it changes harmless markup");
  }
}

/** What DOMPurify returns is judged as it is: the second look would hide that it let something through. */
function withstands(cleaner: HtmlCleaner, html: string, rules: HtmlRules): boolean {
  if (!isWithin(cleaner.reader.read(cleaner.purify(html, rules)), rules)) return false;
  return cleaner.clean([{ html, profiles: [WIDEST] }]).kind === "clean";
}

export function fail(what: string): never {
  throw new HtmlSanitizerError(
    "untrusted-sanitizer",
    `what sanitizes HTML here cannot be trusted: ${what}`,
    HELP,
  );
}
