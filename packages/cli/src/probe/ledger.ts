/** What was found, what could not be asked, and what could not be judged, each told once. */
import type { PolicyResult } from "@gatehouse/core/testing";
import {
  KINDS,
  type Barred,
  type Difference,
  type Disagreement,
  type Kind,
  type NotAsked,
  type Untried,
} from "./finding.js";
import type { Area } from "./choices.js";

export interface Occasion {
  readonly area: Area;
  readonly about: string;
  readonly route: string | null;
  readonly expected: string;
  readonly got: string;
  readonly request: string;
  readonly result: PolicyResult | undefined;
  /** JSON Pointer, where the result names no rule. */
  readonly pointer: string;
}

export class Ledger {
  readonly #found = new Map<string, Disagreement>();
  readonly #notAsked = new Map<string, NotAsked>();
  readonly #barred = new Map<string, Barred>();
  readonly #tried = new Set<string>();
  readonly #untried = new Map<string, Set<string>>();

  differ({ kind, subject, message }: Difference, { result, ...occasion }: Occasion): void {
    const key =
      subject === "" ? JSON.stringify([kind, occasion.route, occasion.about]) : `${kind} ${subject}`;
    const before = this.#found.get(key);
    if (before !== undefined) {
      this.#found.set(key, { ...before, count: before.count + 1 });
      return;
    }
    const { area, about, route, expected, got, request, pointer } = occasion;
    this.#found.set(key, {
      kind,
      area,
      message,
      about,
      route,
      pointer: result?.rule ?? pointer,
      expected,
      got,
      request,
      count: 1,
    });
  }

  /** Refused, as it should be, by what stands before the policy. */
  bar(how: string, example: string): void {
    const { count = 0, example: first = example } = this.#barred.get(how) ?? {};
    this.#barred.set(how, { how, example: first, count: count + 1 });
  }

  get barred(): readonly Barred[] {
    return [...this.#barred.values()];
  }

  /** @param why begins with the same words for the same reason */
  leaveOut(why: string, example: string): void {
    const before = this.#notAsked.get(why);
    this.#notAsked.set(why, { why, example: before?.example ?? example, count: (before?.count ?? 0) + 1 });
  }

  /** Something that the route admits was sent, and answered. */
  tried(route: string): void {
    this.#tried.add(route);
  }

  /** Something that the route admits was not sent. */
  untriedSince(why: string, route: string): void {
    this.#untried.set(route, (this.#untried.get(route) ?? new Set()).add(why));
  }

  get untried(): readonly Untried[] {
    return [...this.#untried]
      .filter(([route]) => !this.#tried.has(route))
      .map(([route, why]) => ({ route, why: [...why].sort() }));
  }

  get disagreements(): readonly Disagreement[] {
    const order = Object.keys(KINDS) as readonly Kind[];
    return [...this.#found.values()].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  }

  get notAsked(): readonly NotAsked[] {
    return [...this.#notAsked.values()].sort((a, b) => (a.why < b.why ? -1 : 1));
  }
}
