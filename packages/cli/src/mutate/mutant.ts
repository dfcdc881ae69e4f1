/** A policy with one thing changed. */
import type { PolicyDocument } from "@gatehouse/core";
import { pointerTo, segmentsOf } from "../lib/pointer.js";

/** What is set, or with undefined taken out. */
export interface Edit {
  readonly pointer: string;
  readonly value: unknown;
}

export interface Mutant {
  /** JSON Pointer of what is changed, in the policy as it is. */
  readonly pointer: string;
  /** What was changed, in words. */
  readonly change: string;
  readonly edits: readonly Edit[];
}

/** The policy with the edits made. A list closes up behind an entry that is taken out. */
export function mutated(policy: PolicyDocument, { edits }: Pick<Mutant, "edits">): PolicyDocument {
  const document = structuredClone(policy) as unknown as Record<string, unknown>;
  for (const edit of edits) apply(document, edit);
  return document as unknown as PolicyDocument;
}

function apply(document: Record<string, unknown>, { pointer, value }: Edit): void {
  const segments = segmentsOf(pointer);
  const last = segments.at(-1) ?? "";
  let place: unknown = document;
  for (const segment of segments.slice(0, -1)) {
    const inner: unknown = memberOf(place, segment);
    if (inner === undefined && isObject(place)) place[segment] = {};
    place = memberOf(place, segment);
  }
  if (Array.isArray(place)) {
    if (value === undefined) place.splice(Number(last), 1);
    else place[Number(last)] = value;
  } else if (isObject(place)) {
    if (value === undefined) delete place[last];
    else place[last] = value;
  }
}

function memberOf(place: unknown, segment: string): unknown {
  if (Array.isArray(place)) return place[Number(segment)] as unknown;
  return isObject(place) && Object.hasOwn(place, segment) ? place[segment] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

export function set(pointer: string, value: unknown, change: string): Mutant {
  return { pointer, change, edits: [{ pointer, value }] };
}

export function drop(pointer: string, change = "left out"): Mutant {
  return { pointer, change, edits: [{ pointer, value: undefined }] };
}

export function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return `\`${text.length > 60 ? `${text.slice(0, 60)}…` : text}\``;
}

export { pointerTo };
