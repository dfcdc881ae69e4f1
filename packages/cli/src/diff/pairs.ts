/**
 * Where requests lead under both policies. A path is told apart from another only by which static texts its segments are, so one text
 * that no pattern has stands for all others, and a walk over those letters meets every case.
 */
import type { AnalysedPolicy, PatternPart, ResolvedRoute } from "@gatehouse/core/analysis";
import type { Exchange } from "./duel.js";
import type { Cell, Pair, Side } from "./model.js";

/** Beyond this many paths the walk is given up: then nothing is said to be the same. */
const MOST_PATHS = 20_000;
/** Of each row this many ways are kept, to ask the engine by. */
const KEPT = 24;

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

export interface Pairs {
  readonly pairs: readonly Pair[];
  readonly complete: boolean;
}

export function pairsOf(old: AnalysedPolicy, fresh: AnalysedPolicy): Pairs {
  const patterns = [old, fresh].flatMap(({ policy }) => [
    ...policy.routes.map(({ pattern }) => pattern),
    ...policy.groups.map(({ parts }) => parts),
  ]);
  const methods = [
    ...new Set([
      ...METHODS,
      ...[old, fresh].flatMap(({ policy }) => policy.routes.flatMap((one) => one.methods)),
    ]),
  ];
  const found = new Map<string, Found>();
  const { paths, complete } = pathsOf(patterns);
  for (const segments of paths) {
    const ways = methods.map((method) => ({
      method,
      before: old.routeAt(method, segments),
      after: fresh.routeAt(method, segments),
    }));
    const lost = ways.some(({ before, after }) => before !== undefined && after === undefined);
    const gained = ways.some(({ before, after }) => before === undefined && after !== undefined);
    for (const { method, before, after } of ways) {
      const key = JSON.stringify([before?.key, after?.key]);
      const pair: Found = found.get(key) ?? {
        old: before,
        new: after,
        cells: [],
        told: { old: [], new: [] },
      };
      found.set(key, pair);
      const cell = { method, segments };
      keep(pair.cells, cell);
      if (before !== undefined || after !== undefined) continue;
      if (lost) keep(pair.told.old, cell);
      if (gained) keep(pair.told.new, cell);
    }
  }
  const pairs = [...found.values()].map((pair): Pair => ({
    old: sideOf("old", old, pair.old),
    new: sideOf("new", fresh, pair.new),
    cells: pair.cells,
    told: pair.told,
  }));
  return { pairs, complete };
}

interface Found {
  readonly old: ResolvedRoute | undefined;
  readonly new: ResolvedRoute | undefined;
  readonly cells: Cell[];
  readonly told: { readonly old: Cell[]; readonly new: Cell[] };
}

function keep(cells: Cell[], cell: Cell): void {
  if (cells.length < KEPT) cells.push(cell);
}

function sideOf(name: Side["name"], analysed: AnalysedPolicy, route: ResolvedRoute | undefined): Side {
  return { name, analysed, route: route ?? analysed.policy.unmatched, matched: route !== undefined };
}

export function pathsOf(patterns: readonly (readonly PatternPart[])[]): {
  readonly paths: readonly (readonly string[])[];
  readonly complete: boolean;
} {
  const paths: string[][] = [];
  const longest = Math.max(1, ...patterns.map(({ length }) => length)) + 1;
  let complete = true;
  const walk = (segments: readonly string[], alive: readonly (readonly PatternPart[])[]): void => {
    if (paths.length >= MOST_PATHS) {
      complete = false;
      return;
    }
    if (segments.length > 0) paths.push([...segments]);
    // One segment beyond all patterns is as good as many.
    if (segments.length >= longest || alive.length === 0) return;
    const at = segments.length;
    for (const letter of lettersAt(alive, at)) {
      const next = alive.filter((pattern) => fits(pattern, at, letter));
      // An empty segment ends a path.
      if (letter === "") paths.push([...segments, letter]);
      else walk([...segments, letter], next);
    }
  };
  walk([], patterns);
  return { paths, complete };
}

export function lettersAt(alive: readonly (readonly PatternPart[])[], at: number): readonly string[] {
  const statics = new Set(
    alive.flatMap((pattern) => {
      const part = pattern[at];
      return part?.kind === "static" ? [part.text] : [];
    }),
  );
  return [...statics, otherThan(statics), ...(statics.has("") ? [] : [""])];
}

/** A text that no pattern has here. */
function otherThan(taken: ReadonlySet<string>): string {
  let text = "any";
  for (let at = 1; taken.has(text); at += 1) text = `any-${at}`;
  return text;
}

export function fits(pattern: readonly PatternPart[], at: number, letter: string): boolean {
  const part = pattern[at] ?? (pattern.at(-1)?.kind === "rest" ? pattern.at(-1) : undefined);
  if (part === undefined) return false;
  return part.kind !== "static" || part.text === letter;
}

/** Whether an exchange is of the row. */
export function isOf({ old, new: fresh }: Pair, exchange: Exchange): boolean {
  return exchange.old.result.route === keyOf(old) && exchange.new.result.route === keyOf(fresh);
}

/** A preflight is of the row of the method that it asks for: an observing route's answer names none. */
export function isPreflightOf({ old, new: fresh }: Pair, method: string, target: string): boolean {
  const [path = ""] = target.split("?");
  const segments = path.split("/").slice(1).map(decodeURIComponent);
  return [old, fresh].every((side) => (side.analysed.routeAt(method, segments)?.key ?? null) === keyOf(side));
}

/** Null: no route. */
export function keyOf({ matched, route }: Side): string | null {
  return matched ? route.key : null;
}

/** The same place in two patterns, whatever its parameters are called. */
export function sameShape(a: readonly PatternPart[], b: readonly PatternPart[]): boolean {
  return (
    a.length === b.length &&
    a.every((part, at) => {
      const other = b[at];
      return part.kind === "static"
        ? other?.kind === "static" && other.text === part.text
        : other?.kind === part.kind;
    })
  );
}
