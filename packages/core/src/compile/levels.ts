/**
 * Where a route's keys come from. A route's key replaces the group's, the longest group's replaces a shorter one's,
 * a group's replaces the defaults', and those replace the document's. Nothing is merged.
 */
import { pointerTo } from "../lib/pointer.js";
import type { Placed } from "../model/resolved.js";

/** One place that may say something about a route; a route's levels run from the nearest to the farthest. */
export interface Level<T> {
  readonly settings: T;
  readonly pointer: string;
  readonly from: Placed<unknown>["from"];
}

/** What one level itself writes under `key`. */
export function said<T extends object, K extends keyof T & string>(
  { settings, pointer, from }: Level<T>,
  key: K,
): Placed<Exclude<T[K], undefined>> | undefined {
  const value = Object.hasOwn(settings, key) ? settings[key] : undefined;
  if (value === undefined) return undefined;
  return { value: value as Exclude<T[K], undefined>, pointer: pointerTo(pointer, key), from };
}

/** The nearest level that writes `key` decides alone. */
export function nearest<T extends object, K extends keyof T & string>(
  levels: readonly Level<T>[],
  key: K,
): Placed<Exclude<T[K], undefined>> | undefined {
  for (const level of levels) {
    const found = said(level, key);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Levels of one member (`request`, `errors`), for the keys whose members are keys of their own. */
export function inside<T extends object, K extends keyof T & string>(
  levels: readonly Level<T>[],
  key: K,
): Level<Extract<T[K], object>>[] {
  const found: Level<Extract<T[K], object>>[] = [];
  for (const { settings, pointer, from } of levels) {
    const value = Object.hasOwn(settings, key) ? settings[key] : undefined;
    if (typeof value !== "object" || value === null) continue;
    found.push({ settings: value as Extract<T[K], object>, pointer: pointerTo(pointer, key), from });
  }
  return found;
}
