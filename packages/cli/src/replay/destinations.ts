/**
 * To which routes of the candidate a recorded request leads. Where a segment of its path was not recorded, one text that no pattern has
 * stands for all others: every route that it may lead to is found, and only those that agree with where it was served.
 */
import type { AnalysedPolicy, PatternPart, ResolvedRoute } from "@gatehouse/core/analysis";
import { alike } from "../diff/canonical.js";
import { fits, lettersAt, pathsOf } from "../diff/pairs.js";
import type { RecordedDecision } from "./line.js";

/** Of one path: the route, and whether the path is known for other methods where there is none. */
export interface Destination {
  readonly route: ResolvedRoute | undefined;
  readonly code: "not-found" | "method-not-allowed" | undefined;
}

export interface Destinations {
  readonly found: readonly Destination[];
  /** False: there are more paths than are walked. */
  readonly complete: boolean;
  /** What was not recorded, in words; undefined: the path is known. */
  readonly missing: string | undefined;
  /** The recorded path led, under the policy that served, to where it was served: its segments are what they seem. */
  readonly readable: boolean;
  /** An `OPTIONS` there may be a preflight that the candidate answers otherwise than the policy that served. */
  readonly preflights: boolean;
}

const MOST_PATHS = 5000;

export class Router {
  readonly #patterns: readonly (readonly PatternPart[])[];
  readonly #methods: readonly string[];
  /** By place: static texts by their lower-case form. */
  readonly #spellings: Map<string, Set<string>>[] = [];
  readonly #known = new Map<string, Destinations>();

  constructor(
    private readonly old: AnalysedPolicy,
    private readonly fresh: AnalysedPolicy,
  ) {
    const both = [old, fresh];
    this.#patterns = both.flatMap(({ policy }) => [
      ...policy.routes.map(({ pattern }) => pattern),
      ...policy.groups.map(({ parts }) => parts),
    ]);
    for (const pattern of this.#patterns)
      for (const [at, part] of pattern.entries()) if (part.kind === "static") this.learn(at, part.text);
    this.#methods = [...new Set(both.flatMap(({ policy }) => policy.routes.flatMap((one) => one.methods)))];
  }

  /** @param served undefined: no route matched */
  destinations(served: ResolvedRoute | undefined, decision: RecordedDecision): Destinations {
    const { method, path } = decision;
    if (path !== undefined) {
      // Another reading of it may lead elsewhere: then it is refused.
      if (this.hidesText(path)) return { ...this.of(method, [], false, "the path"), readable: false };
      const led = this.spellingsOf(segmentsOf(path)).filter((one) => this.leadsTo(served, decision, one));
      const missing = led.length > 1 ? "how the framework reads the path" : undefined;
      if (led.length > 0) return { ...this.of(method, led, true, missing), readable: true };
    }
    const said = served === undefined ? [] : this.recorded(served, decision);
    const key = JSON.stringify([method, served?.key ?? decision.code, said]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made =
      served === undefined ? this.unmatched(method, decision.code) : this.matched(served, method, said);
    this.#known.set(key, made);
    return made;
  }

  private learn(at: number, text: string): void {
    const known = (this.#spellings[at] ??= new Map());
    const form = text.toLowerCase();
    known.set(form, (known.get(form) ?? new Set()).add(text));
  }

  /** Static text of a pattern stands in it encoded: whether it is one depends on who decodes when. */
  private hidesText(path: string): boolean {
    return (
      path.includes("%") &&
      segmentsOf(path).some((text, at) => {
        const raw = path.slice(1).split("/")[at];
        return raw !== text && this.#spellings[at]?.has(text.toLowerCase()) === true;
      })
    );
  }

  /** The path, and what a framework may take for the same: static texts in other case, and without a slash at the end. */
  private spellingsOf(segments: readonly string[]): readonly (readonly string[])[] {
    let found: (readonly string[])[] = [[]];
    for (const [at, text] of segments.entries()) {
      const others = this.#spellings[at]?.get(text.toLowerCase()) ?? [];
      const letters = [...new Set([text, ...others])];
      found = found.flatMap((one) => letters.map((letter) => [...one, letter])).slice(0, MOST_PATHS);
    }
    if (segments.length > 1 && segments.at(-1) === "") return found.flatMap((one) => [one, one.slice(0, -1)]);
    // Where no pattern ends with a slash, a path with one leads nowhere else.
    return this.#spellings[segments.length]?.has("") === true
      ? found.flatMap((one) => [one, [...one, ""]])
      : found;
  }

  /** Only what agrees with how it was served says how the framework read it. */
  private leadsTo(
    served: ResolvedRoute | undefined,
    { method, code }: RecordedDecision,
    segments: readonly string[],
  ): boolean {
    if (this.old.routeAt(method, segments)?.key !== served?.key) return false;
    if (code !== "not-found" && code !== "method-not-allowed") return true;
    return served !== undefined || codeAt(this.old, this.#methods, segments) === code;
  }

  /** Texts of the pattern's segments; null: not recorded. What no pattern names is as good as any other. */
  private recorded(served: ResolvedRoute, { facts }: RecordedDecision): (string | null)[] {
    return served.pattern.map((part, at) => {
      if (part.kind === "static") return part.text;
      if (part.kind === "rest") return null;
      const value = facts.get(`params.${part.name}`);
      if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return null;
      // A number has more spellings than one, and a static text has only its own.
      const text = String(value);
      const letters = lettersAt(this.#patterns, at);
      if (typeof value !== "string" && letters.some((one) => one === text || Number(one) === value))
        return null;
      return letters.includes(text) ? text : otherThan(letters);
    });
  }

  private matched(served: ResolvedRoute, method: string, said: readonly (string | null)[]): Destinations {
    const paths: string[][] = [];
    let complete = true;
    const rest = served.pattern.at(-1)?.kind === "rest";
    const longest = Math.max(...this.#patterns.map(({ length }) => length)) + 1;
    const walk = (segments: readonly string[]): void => {
      if (paths.length >= MOST_PATHS) {
        complete = false;
        return;
      }
      const at = segments.length;
      if (at >= served.pattern.length) paths.push([...segments]);
      // An empty segment ends a path.
      if (at >= (rest ? longest : served.pattern.length) || segments.at(-1) === "") return;
      const alive = this.#patterns.filter((pattern) =>
        segments.every((text, place) => fits(pattern, place, text)),
      );
      const text = at < said.length ? said[at] : null;
      for (const letter of typeof text === "string" ? [text] : lettersAt(alive, at))
        walk([...segments, letter]);
    };
    walk([]);
    const led = paths.filter((segments) => this.old.routeAt(method, segments)?.key === served.key);
    const names = served.pattern.flatMap((part, at) =>
      part.kind === "param" && said[at] === null
        ? [`\`params.${part.name}\``]
        : part.kind === "rest"
          ? ["the path"]
          : [],
    );
    return this.of(method, led, complete, names.length === 0 ? undefined : names.join(", "));
  }

  private unmatched(method: string, code: string | undefined): Destinations {
    const { paths, complete } = pathsOf(this.#patterns);
    const led = paths.filter((segments) => {
      if (this.old.routeAt(method, segments) !== undefined) return false;
      return code === undefined || codeAt(this.old, this.#methods, segments) === code;
    });
    return this.of(method, led, complete, "the path");
  }

  private of(
    method: string,
    paths: readonly (readonly string[])[],
    complete: boolean,
    missing: string | undefined,
  ): Destinations {
    const found = new Map<string, Destination>();
    for (const segments of paths) {
      const route = this.fresh.routeAt(method, segments);
      const code = route === undefined ? codeAt(this.fresh, this.#methods, segments) : undefined;
      found.set(route?.key ?? code ?? "", { route, code });
    }
    const preflights = method === "OPTIONS" && paths.some((segments) => this.answersOtherwise(segments));
    return { found: [...found.values()], complete, missing, readable: false, preflights };
  }

  private answersOtherwise(segments: readonly string[]): boolean {
    const after = this.answeredAt(this.fresh, segments);
    return after.length > 0 && !alike(this.answeredAt(this.old, segments), after);
  }

  /** By what preflights are answered at a path, whichever method they ask for. */
  private answeredAt(policy: AnalysedPolicy, segments: readonly string[]): readonly unknown[] {
    return this.#methods.flatMap((method) => {
      const { cors, mode } = policy.routeAt(method, segments) ?? {};
      const answers = cors !== undefined && cors.value !== "none";
      // Where a route observes, one that asks for its method passes.
      return answers || mode === "observe" ? [[method, cors?.value, mode]] : [];
    });
  }
}

function codeAt(
  policy: AnalysedPolicy,
  methods: readonly string[],
  segments: readonly string[],
): "not-found" | "method-not-allowed" {
  const known = methods.some((method) => policy.routeAt(method, segments) !== undefined);
  return known ? "method-not-allowed" : "not-found";
}

function otherThan(letters: readonly string[]): string {
  let text = "other";
  for (let at = 1; letters.includes(text); at += 1) text = `other-${at}`;
  return text;
}

/** As the engine reads a path that it let through: what cannot be decoded it refused. */
export function segmentsOf(path: string): readonly string[] {
  return path
    .slice(1)
    .split("/")
    .map((segment) => {
      try {
        return decodeURIComponent(segment);
      } catch {
        return segment;
      }
    });
}
