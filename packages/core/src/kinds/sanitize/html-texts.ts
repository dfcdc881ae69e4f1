/** What both sides say of texts that are cleaned as HTML. */
import type { HtmlRule, HtmlText } from "../../ports/html-sanitizer.js";
import type { FoundText } from "./walk.js";

export const MESSAGES: Readonly<Record<HtmlRule, string>> = {
  "sanitize-length": "is too long to be sanitized",
  "sanitize-depth": "has markup that is nested too deeply",
  "sanitize-nodes": "has too much markup",
  "sanitize-unstable": "has markup that cannot be sanitized",
};

export interface HtmlTexts {
  readonly texts: readonly HtmlText[];
  /** Where each of them was found. */
  readonly found: readonly FoundText[];
}

export function htmlIn(all: readonly FoundText[]): HtmlTexts {
  const texts: HtmlText[] = [];
  const found: FoundText[] = [];
  for (const one of all) {
    if (one.treatment === "text") continue;
    texts.push({ html: one.text, profiles: one.treatment });
    found.push(one);
  }
  return { texts, found };
}
