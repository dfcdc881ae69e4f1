/** Answers: after projection and redaction, before the value becomes text, and on the thread that serves. */
import { isPlain } from "../../lib/html-vocabulary.js";
import { stripMarkup } from "../../lib/strip-markup.js";
import type { BodyOutcome, BodyRule } from "../../model/compiled.js";
import type { HtmlSanitizer } from "../../ports/html-sanitizer.js";
import { htmlIn } from "./html-texts.js";
import type { PlanNode } from "./plan.js";
import type { SanitizingBounds } from "./profiles.js";
import { type FoundText, noteOf, put, textsIn } from "./walk.js";

export function sanitizeRule(
  plan: PlanNode,
  bounds: SanitizingBounds,
  html: HtmlSanitizer | undefined,
): BodyRule {
  return {
    needsBody: () => true,
    readsBody: true,
    apply: (value, _status, state) => {
      const root = { body: value };
      const replace = (one: FoundText, clean: string): void => {
        if (state.tracing) state.note(noteOf(one, clean));
        put(one, clean);
      };
      const all = textsIn(root, "body", plan);
      for (const one of all) if (one.treatment === "text") replace(one, stripMarkup(one.text));
      const { texts, found } = htmlIn(all);
      if (texts.length === 0) return { kind: "json", value: root.body };
      const cost = texts.reduce((sum, { html }) => sum + costOf(html), 0);
      if (cost > bounds.maxAnswer) return withheld("it has more markup than `sanitizing.maxAnswer`");
      if (html === undefined) return withheld("nothing was loaded that sanitizes HTML");
      const result = html.cleanHere(texts, bounds);
      if (result.kind === "refused") {
        return withheld([...new Set(result.refused.map(({ rule }) => rule))].sort().join(", "));
      }
      for (const [index, one] of found.entries()) {
        const clean = result.texts[index];
        if (clean === undefined) return withheld("a text was lost on the way");
        replace(one, clean);
      }
      return { kind: "json", value: root.body };
    },
  };
}

/** Without a tag no DOM is built but for its text, which is read and written all the same: some quarter of the time. */
function costOf(html: string): number {
  if (html.includes("<")) return html.length;
  return isPlain(html) ? 0 : html.length / 4;
}

/** What was not cleaned does not leave. */
function withheld(reason: string): BodyOutcome {
  return {
    kind: "withheld",
    code: "unreadable-response",
    reason: `the answer cannot be sanitized: ${reason}`,
  };
}
