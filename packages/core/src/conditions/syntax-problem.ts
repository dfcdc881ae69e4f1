/** Why a text is no expression. Thrown within the parser alone, which calls itself too deeply to hand it up step by step. */
export class SyntaxProblem extends Error {
  /** @param at 0-based; undefined: no one place is to blame */
  constructor(
    message: string,
    readonly at: number,
    readonly code: "condition-syntax" | "condition-too-large" = "condition-syntax",
  ) {
    super(message);
  }
}
