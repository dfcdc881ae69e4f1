/**
 * Did the router run the route that the policy decided? Constraints, regular expressions, empty parameters and Unicode's upper case can
 * lead it to another one, which the policy would have judged by another rule.
 */
import type { BoundEngine } from "@gatehouse/core";
import { patternOf } from "./patterns.js";
import type { RouterRoute } from "./routes.js";

export class Agreement {
  private revision: string;
  /** By route and method: the policy's routes that decide requests to it. Undefined: a policy cannot say its path at all. */
  private expected = new Map<string, Map<string, ReadonlySet<string> | undefined>>();
  private paths: ReadonlyMap<string, readonly string[]> | undefined = undefined;
  private readonly told = new Set<string>();

  /** @param routes asked once, when the first request comes */
  constructor(
    private readonly engine: BoundEngine,
    private readonly routes: () => readonly RouterRoute[],
    private readonly onError: (error: unknown) => void,
  ) {
    // Of a large policy it takes a while, for which no request should wait.
    this.revision = engine.revision;
  }

  /**
   * Asked before the decision: the policy may be replaced while it waits, and the new one's routes say nothing of it.
   * @param url of the router's route; undefined where there is none
   * @returns whether that route is the one decided, given its key; null where observe mode let an unmatched request pass
   */
  of(method: string, url: string | undefined): (decided: string | null) => boolean {
    if (url === undefined) return () => true;
    const expected = this.expectedAt(method, url);
    return (decided) => {
      if (decided === null || expected?.has(decided) !== false) return true;
      this.tell(`${method} ${url}`, decided);
      return false;
    };
  }

  private expectedAt(method: string, url: string): ReadonlySet<string> | undefined {
    if (this.revision !== this.engine.revision) {
      this.revision = this.engine.revision;
      this.expected = new Map();
    }
    const known = this.expected.get(url) ?? new Map<string, ReadonlySet<string> | undefined>();
    if (known.has(method)) return known.get(method);
    const keys = this.keysFor(method, url);
    this.expected.set(url, known.set(method, keys));
    return keys;
  }

  private keysFor(method: string, url: string): ReadonlySet<string> | undefined {
    this.paths ??= byUrl(this.routes());
    const all = this.engine.inventory([]).unserved;
    const keys = new Set<string>();
    for (const path of this.paths.get(url) ?? [url]) {
      const { unserved, differing } = this.engine.inventory([
        { methods: [method], path, pattern: patternOf(path).near },
      ]);
      if (differing.some(({ decidedBy }) => decidedBy.length === 0)) return undefined;
      const missing = new Set(unserved);
      for (const key of all) if (!missing.has(key)) keys.add(key);
    }
    return keys;
  }

  /** Once for each pair: whoever asks may ask often. */
  private tell(route: string, decided: string): void {
    const text = `fastify led a request to \`${route}\` that the policy decided as \`${decided}\`: it was answered 404`;
    if (this.told.has(text)) return;
    this.told.add(text);
    this.onError(new Error(text));
  }
}

function byUrl(routes: readonly RouterRoute[]): ReadonlyMap<string, readonly string[]> {
  const paths = new Map<string, Set<string>>();
  for (const { url, path } of routes) {
    const known = paths.get(url);
    if (known === undefined) paths.set(url, new Set([path]));
    else known.add(path);
  }
  return new Map(Array.from(paths, ([url, known]) => [url, [...known]]));
}
