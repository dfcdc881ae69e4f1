/** Stage `sanitize`: after the schema, before anything reads a field. What comes of it is validated again. */
import { stripMarkup } from "../../lib/strip-markup.js";
import type { Stage } from "../../model/compiled.js";
import type { Fault, Refusal, Verdict } from "../../model/outcome.js";
import type { RequestState } from "../../model/state.js";
import { MAX_PROBLEMS } from "../../normalize/json-guards.js";
import type { HtmlBounds, HtmlProblem, HtmlResult, HtmlSanitizer } from "../../ports/html-sanitizer.js";
import { htmlIn, MESSAGES } from "./html-texts.js";
import type { PlanNode } from "./plan.js";
import { type FoundText, noteOf, pointerOf, put, textsIn } from "./walk.js";

export interface RequestSanitizing {
  readonly plan: PlanNode;
  readonly rule: string;
  readonly observe: boolean;
  readonly bounds: HtmlBounds;
  /** Undefined where all is `text`. */
  readonly html: HtmlSanitizer | undefined;
}

export function sanitizeStage(sanitizing: RequestSanitizing): Stage {
  return {
    at: "sanitize",
    rule: sanitizing.rule,
    run: (state) => {
      if (state.body === undefined) return undefined;
      // A value that somebody else parsed stays theirs.
      if (state.bodyBytes === undefined) state.body = structuredClone(state.body);
      return new Run(sanitizing, state).start();
    },
  };
}

class Run {
  readonly #root: { body: unknown };
  readonly #found: readonly FoundText[];
  #changed = 0;

  constructor(
    private readonly sanitizing: RequestSanitizing,
    private readonly state: RequestState,
  ) {
    this.#root = { body: state.body };
    this.#found = textsIn(this.#root, "body", sanitizing.plan);
  }

  start(): Verdict | Promise<Verdict> {
    const { texts, found } = htmlIn(this.#found);
    for (const one of this.#found) if (one.treatment === "text") this.#replace(one, stripMarkup(one.text));
    if (texts.length === 0) return this.#done();
    const { html, bounds } = this.sanitizing;
    try {
      if (html === undefined) throw new Error("nothing was loaded that sanitizes HTML");
      const result = html.clean(texts, bounds);
      return result instanceof Promise
        ? result.then(
            (settled) => this.#settle(found, settled),
            (error: unknown) => this.#fault(error),
          )
        : this.#settle(found, result);
    } catch (error) {
      return this.#fault(error);
    }
  }

  #settle(found: readonly FoundText[], result: HtmlResult): Verdict {
    if (result.kind === "refused") return this.#refuse(found, result.refused);
    for (const [index, one] of found.entries()) {
      const clean = result.texts[index];
      if (clean === undefined) return this.#fault(new Error("a text was lost on the way"));
      this.#replace(one, clean);
    }
    return this.#done();
  }

  #replace(one: FoundText, clean: string): void {
    if (this.state.tracing) this.state.note(noteOf(one, clean));
    if (clean === one.text) return;
    this.#changed += 1;
    put(one, clean);
  }

  #done(): undefined {
    this.state.body = this.#root.body;
    if (this.sanitizing.observe && this.#changed > 0) {
      this.state.report(`\`sanitize\` would have changed ${this.#changed} of the body's texts`);
    }
    return undefined;
  }

  #refuse(found: readonly FoundText[], problems: readonly HtmlProblem[]): Refusal {
    // In observe mode later stages still run: they must not read what was not cleaned.
    this.state.body = undefined;
    const rules = [...new Set(problems.map(({ rule }) => rule))].sort();
    return {
      kind: "refusal",
      code: "invalid-body",
      reason: `the body has texts that are not sanitized: ${rules.join(", ")}`,
      rule: this.sanitizing.rule,
      errors: problems.slice(0, MAX_PROBLEMS).flatMap(({ index, rule }) => {
        const one = found[index];
        return one === undefined
          ? []
          : [{ pointer: `/body${pointerOf(one)}`, rule, message: MESSAGES[rule] }];
      }),
    };
  }

  /** The sanitizer broke, was late, or had no room: nothing passes. */
  #fault(error: unknown): Fault {
    this.state.body = undefined;
    return {
      kind: "fault",
      where: "outside",
      reason: "sanitizing failed",
      rule: this.sanitizing.rule,
      error,
    };
  }
}
