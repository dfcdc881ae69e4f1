/**
 * Did the router run the route that the policy decided? Constraints, regular expressions and Unicode's upper case can lead it to another
 * one, which the policy would have judged by another rule.
 */
import type { BoundEngine } from "@gatehouse/core";
import { patternOf, pathsOf } from "./patterns.js";

export class Agreement {
  private revision = "";
  /** By method and the route's own path. Undefined: a policy cannot say this path at all. */
  private expected = new Map<string, ReadonlySet<string> | undefined>();

  constructor(private readonly engine: BoundEngine) {}

  /**
   * @param path of the router's route; undefined where there is none
   * @param decided key of the policy's route; null where observe mode let an unmatched request pass
   */
  holds(method: string, path: string | undefined, decided: string | null): boolean {
    if (path === undefined || decided === null) return true;
    // A policy that was replaced meanwhile may decide by other routes.
    if (this.revision !== this.engine.revision) {
      this.revision = this.engine.revision;
      this.expected = new Map();
    }
    const key = `${method} ${path}`;
    if (!this.expected.has(key)) this.expected.set(key, this.keysFor(method, path));
    return this.expected.get(key)?.has(decided) !== false;
  }

  /** Keys of the routes by which the policy decides requests to this one. */
  private keysFor(method: string, path: string): ReadonlySet<string> | undefined {
    const all = this.engine.inventory([]).unserved;
    // A prefix is known by its bare path where it answers with a slash at its end too.
    const paths = path.endsWith("/") ? pathsOf(path) : [...pathsOf(path), `${path}/`];
    const keys = new Set<string>();
    for (const one of paths) {
      const registered = [{ methods: [method], path: one, pattern: patternOf(one).near }];
      const { unserved, differing } = this.engine.inventory(registered);
      if (differing.some(({ decidedBy }) => decidedBy.length === 0)) return undefined;
      const missing = new Set(unserved);
      for (const key of all) if (!missing.has(key)) keys.add(key);
    }
    return keys;
  }
}
