/** A profile of HTML as sets, and the one judgement of what stays: asked while markup is cleaned, and again of what came of it. */
import { hasScheme, URL_ATTRIBUTES } from "../lib/html-vocabulary.js";
import type { HtmlProfile } from "../ports/html-sanitizer.js";

export const HTML_NAMESPACE = "http://www.w3.org/1999/xhtml";

const URLS: ReadonlySet<string> = new Set(URL_ATTRIBUTES);

export interface HtmlRules {
  readonly tags: ReadonlySet<string>;
  /** Of any element. */
  readonly everywhere: ReadonlySet<string>;
  readonly byTag: ReadonlyMap<string, ReadonlySet<string>>;
  readonly schemes: ReadonlySet<string>;
}

const known = new WeakMap<HtmlProfile, HtmlRules>();

export function rulesOf(profile: HtmlProfile): HtmlRules {
  const before = known.get(profile);
  if (before !== undefined) return before;
  // Own members alone: nothing that hangs on `Object.prototype` lets an attribute through.
  const byTag = new Map(Object.entries(profile.attributes).map(([tag, names]) => [tag, new Set(names)]));
  const rules: HtmlRules = {
    tags: new Set(profile.tags),
    everywhere: byTag.get("*") ?? new Set(),
    byTag,
    schemes: new Set(profile.schemes),
  };
  known.set(profile, rules);
  return rules;
}

export function attributeStays(rules: HtmlRules, tag: string, name: string, value: string): boolean {
  if (!rules.everywhere.has(name) && rules.byTag.get(tag)?.has(name) !== true) return false;
  return !URLS.has(name) || hasScheme(value, rules.schemes);
}

/** Markup as a browser reads it. */
export interface HtmlReading {
  /** The same, written again. */
  readonly html: string;
  readonly elements: readonly HtmlElementFacts[];
  /** Comments and what else is neither element nor text. */
  readonly others: number;
}

export interface HtmlElementFacts {
  readonly tag: string;
  readonly namespace: string;
  readonly attributes: readonly (readonly [name: string, value: string])[];
}

/** Holds nothing but what the profile names. Knows nothing of how that was brought about. */
export function isWithin(reading: HtmlReading, rules: HtmlRules): boolean {
  return reading.others === 0 && reading.elements.every((element) => elementStays(element, rules));
}

function elementStays({ tag, namespace, attributes }: HtmlElementFacts, rules: HtmlRules): boolean {
  if (namespace !== HTML_NAMESPACE || !rules.tags.has(tag)) return false;
  return attributes.every(([name, value]) => attributeStays(rules, tag, name, value));
}
