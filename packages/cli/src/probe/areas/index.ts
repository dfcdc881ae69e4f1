/** All that is asked, area by area. */
import type { Area } from "../choices.js";
import type { Ground } from "../ground.js";
import type { Question, RawQuestion } from "../question.js";
import { callers } from "./callers.js";
import { framing } from "./framing.js";
import { input } from "./input.js";
import { methods } from "./methods.js";
import { cors, csrf } from "./origins.js";
import { paths } from "./paths.js";
import { proofs } from "./proofs.js";
import { tokens } from "./tokens.js";
import { transport } from "./transport.js";

type Asked = Question | RawQuestion;

const QUESTIONS: Readonly<
  Record<Exclude<Area, "limits">, (ground: Ground) => Iterable<Asked | Promise<readonly Asked[]>>>
> = { callers, tokens, proofs, input, paths, methods, cors, csrf, transport, framing };

export async function* questionsFor(areas: readonly Area[], ground: Ground): AsyncIterable<Asked> {
  for (const area of areas) {
    if (area === "limits") continue;
    for (const made of QUESTIONS[area](ground)) {
      const questions = made instanceof Promise ? await made : [made];
      yield* questions;
    }
  }
}
