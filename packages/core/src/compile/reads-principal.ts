/** Which limits read who calls. On an open route nobody is known, so inherited ones are not asked there. */
import { asList } from "../lib/lists.js";
import type { LimitSettings } from "../model/policy.js";

/** String literals of CEL, raw and triple-quoted ones included; what stands inside one reads nothing. */
const STRING = /[rRbB]{0,2}(?:"""[^]*?"""|'''[^]*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')/gu;

/** `principal` as a name of its own: not a field (`x.principal`), nor part of a longer name. */
const NAME = /(?<![\w.])principal(?!\w)/u;

/** Does a condition or cost name `principal`? Asked before conditions are compiled, so it reads the text. */
function textReadsPrincipal(text: string): boolean {
  return NAME.test(text.replace(STRING, '""'));
}

export function readsPrincipal(limit: LimitSettings): boolean {
  return factsOf(limit).some(isPrincipalFact) || textsOf(limit).some(textReadsPrincipal);
}

function factsOf({ by }: LimitSettings): string[] {
  if (by === undefined) return [];
  return asList(by).map((fact) => (typeof fact === "string" ? fact : fact.fact));
}

function isPrincipalFact(fact: string): boolean {
  return fact === "authenticator" || fact === "principal" || fact.startsWith("principal.");
}

function textsOf({ when, cost }: LimitSettings): string[] {
  const texts: string[] = when === undefined ? [] : [when];
  const priced = typeof cost === "object" ? cost.estimate : cost;
  if (typeof priced === "string") texts.push(priced);
  return texts;
}
