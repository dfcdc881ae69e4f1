/** The application's own checks, as a case words them. */
import type { Check } from "../index.js";

/** What a check does: answers, at once or later, or fails in one of the ways in which code can. */
export type CheckRecipe = boolean | "later" | "throws" | "rejects" | "neither" | "hangs";

const RECIPES: Readonly<Record<Exclude<CheckRecipe, boolean>, Check>> = {
  later: () => Promise.resolve(true),
  throws: () => {
    throw new Error("the check threw");
  },
  rejects: () => Promise.reject(new Error("the check rejected")),
  // A lie to the type, as code without types tells it.
  neither: () => "true" as unknown as boolean,
  hangs: () => new Promise(() => {}),
};

/** @throws Error for a word that no check is described by */
export function checkOf(recipe: CheckRecipe): Check {
  if (typeof recipe === "boolean") return () => recipe;
  if (!Object.hasOwn(RECIPES, recipe)) throw new Error(`\`${recipe}\` is no check`);
  return RECIPES[recipe];
}
