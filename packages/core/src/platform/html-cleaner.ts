/** Texts through the bounds, DOMPurify, and a second look at what came of them. */
import { isPlain } from "../lib/html-vocabulary.js";
import type { HtmlBounds, HtmlProblem, HtmlResult, HtmlRule, HtmlText } from "../ports/html-sanitizer.js";
import type { Purify } from "./html-purifier.js";
import { type HtmlReading, type HtmlRules, isWithin, rulesOf } from "./html-rules.js";

/** How a platform reads markup. */
export interface HtmlReader {
  /** How many nodes a document of this text has, or which bound it breaks. */
  weigh(html: string, bounds: HtmlBounds): number | HtmlRule;
  /** As the content of an element of a page. */
  read(html: string): HtmlReading;
}

/** DOMPurify lets nest what no parser would nest; read again it comes apart. That settles at once or never. */
const ROUNDS = 4;

export function refused(problems: readonly HtmlProblem[]): HtmlResult {
  return { kind: "refused", refused: problems };
}

/** Told by a look at their lengths: such a text is not even read. */
export function tooLong(texts: readonly HtmlText[], { maxLength }: HtmlBounds): readonly HtmlProblem[] {
  return texts.flatMap(({ html }, index) =>
    html.length > maxLength && !isPlain(html) ? [{ index, rule: "sanitize-length" } as const] : [],
  );
}

export class HtmlCleaner {
  constructor(
    readonly reader: HtmlReader,
    readonly purify: Purify,
  ) {}

  /** Nodes of all the texts, which no DOM was built for yet, or what is wrong with them. */
  weigh(texts: readonly HtmlText[], bounds: HtmlBounds): number | readonly HtmlProblem[] {
    const long = tooLong(texts, bounds);
    if (long.length > 0) return long;
    const problems: HtmlProblem[] = [];
    let nodes = 0;
    for (const [index, { html }] of texts.entries()) {
      const left = { ...bounds, maxNodes: bounds.maxNodes - nodes };
      const weight = isPlain(html) ? 0 : this.reader.weigh(html, left);
      if (typeof weight === "number") nodes += weight;
      else problems.push({ index, rule: weight });
    }
    return problems.length > 0 ? problems : nodes;
  }

  /** For texts that were weighed. */
  clean(texts: readonly HtmlText[]): HtmlResult {
    const clean: string[] = [];
    for (const [index, text] of texts.entries()) {
      const settled = this.cleanOne(text);
      if (settled === undefined) return refused([{ index, rule: "sanitize-unstable" }]);
      clean.push(settled);
    }
    return { kind: "clean", texts: clean };
  }

  weighAndClean(texts: readonly HtmlText[], bounds: HtmlBounds): HtmlResult {
    const weight = this.weigh(texts, bounds);
    return typeof weight === "number" ? this.clean(texts) : refused(weight);
  }

  private cleanOne({ html, profiles }: HtmlText): string | undefined {
    let clean: string | undefined = html;
    for (const profile of profiles) {
      if (clean === undefined || isPlain(clean)) return clean;
      clean = this.settle(clean, rulesOf(profile));
    }
    return clean;
  }

  /** A fixed point of reading and writing that holds nothing else than the profile names; undefined: there is none. */
  private settle(html: string, rules: HtmlRules): string | undefined {
    let next = html;
    for (let round = 0; round < ROUNDS; round++) {
      const clean = this.purify(next, rules);
      const reading: HtmlReading = this.reader.read(clean);
      if (!isWithin(reading, rules)) return undefined;
      if (reading.html === clean) return clean;
      next = reading.html;
    }
    return undefined;
  }
}
