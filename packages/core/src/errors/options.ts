/** Options of functions, for callers whom no compiler checks: a typo must never silently turn something off. */
import { parseDuration } from "../lib/duration.js";
import { didYouMean } from "./did-you-mean.js";

/** What an option must be, in words, and the test for it. Undefined is always the default. */
export type OptionTest = readonly [what: string, holds: (value: unknown) => boolean];

export const FUNCTION: OptionTest = ["a function", (value) => typeof value === "function"];
export const TRUTH: OptionTest = ["true or false", (value) => typeof value === "boolean"];
export const TEXT: OptionTest = ["a text", (value) => typeof value === "string"];
export const FUNCTIONS: OptionTest = [
  "an object of functions",
  (value) => isObject(value) && Object.values(value).every((one) => typeof one === "function"),
];

export function oneOf(...words: readonly string[]): OptionTest {
  return [words.map((word) => `\`${word}\``).join(" or "), (value) => words.some((word) => word === value)];
}

/** A duration as the policy language writes it. */
export function duration(most: string, least = "0s"): OptionTest {
  const within = (ms: number | undefined): boolean =>
    ms !== undefined && ms >= (parseDuration(least) ?? 0) && ms <= (parseDuration(most) ?? 0);
  return [
    `a duration from \`${least}\` to \`${most}\`, such as \`500ms\`, \`10s\` or \`1h\``,
    (value) => typeof value === "string" && within(parseDuration(value)),
  ];
}

/** An object that has these methods, its own or inherited. */
export function having(...methods: readonly string[]): OptionTest {
  return [
    `an object with ${methods.map((name) => `\`${name}\``).join(", ")}`,
    (value) =>
      isObject(value) &&
      methods.every((name) => typeof (value as Readonly<Record<string, unknown>>)[name] === "function"),
  ];
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** @throws TypeError naming the option that is wrong, never its value */
export function checkOptions(
  options: unknown,
  of: string,
  known: Readonly<Record<string, OptionTest>>,
): void {
  if (!isObject(options)) throw new TypeError(`the options of \`${of}\` are no object`);
  for (const [name, value] of Object.entries(options)) {
    const test = Object.hasOwn(known, name) ? known[name] : undefined;
    if (test === undefined) {
      const names = Object.keys(known);
      const help = didYouMean(name, names) ?? `the options are ${names.join(", ")}`;
      throw new TypeError(`unknown option \`${name}\` of \`${of}\`; ${help}`);
    }
    if (value !== undefined && !test[1](value))
      throw new TypeError(`\`${name}\` of \`${of}\` is not ${test[0]}`);
  }
}

/** @throws TypeError naming an option that nobody knows, and the nearest of `known` */
export function refuseUnknownOptions(options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const help = didYouMean(name, known) ?? `the options are ${known.join(", ")}`;
    throw new TypeError(`unknown option \`${name}\`; ${help}`);
  }
}
