/** Header fields as a handler sets them, kept apart from Node's own until the policy has had its say. */
import { validateHeaderName, validateHeaderValue, type OutgoingHttpHeader } from "node:http";
import type { HeaderField } from "@gatehouse/core";
import { isKnown } from "./lines.js";

export type FieldValue = OutgoingHttpHeader;
/** What `writeHead` takes: a record, a flat list, or a list of pairs. */
export type FieldsArgument =
  | Readonly<Record<string, FieldValue | undefined>>
  | readonly FieldValue[]
  | readonly (readonly [string, FieldValue])[];

interface Entry {
  readonly name: string;
  value: FieldValue;
}

export class HandlerFields {
  private readonly entries = new Map<string, Entry>();

  set(name: string, value: FieldValue): void {
    check(name, value);
    this.entries.set(name.toLowerCase(), { name, value });
  }

  append(name: string, value: FieldValue): void {
    check(name, value);
    const lower = name.toLowerCase();
    const entry = this.entries.get(lower);
    if (entry === undefined) this.entries.set(lower, { name, value });
    else entry.value = [...list(entry.value), ...list(value)];
  }

  remove(name: string): void {
    this.entries.delete(name.toLowerCase());
  }

  get(name: string): FieldValue | undefined {
    return this.entries.get(name.toLowerCase())?.value;
  }

  has(name: string): boolean {
    return this.entries.has(name.toLowerCase());
  }

  names(): string[] {
    return [...this.entries.keys()];
  }

  rawNames(): string[] {
    return Array.from(this.entries.values(), ({ name }) => name);
  }

  record(): Record<string, FieldValue> {
    const record = Object.create(null) as Record<string, FieldValue>;
    for (const [lower, { value }] of this.entries) record[lower] = value;
    return record;
  }

  /** As `writeHead` does it: what it names replaces what was set before, and may stand several times in a list. */
  merge(fields: FieldsArgument): void {
    if (!isList(fields)) {
      for (const [name, value] of Object.entries(fields)) if (value !== undefined) this.set(name, value);
      return;
    }
    const pairs = pairsOf(fields);
    for (const [name] of pairs) this.remove(name);
    for (const [name, value] of pairs) this.append(name, value);
  }

  pairs(): HeaderField[] {
    const pairs: HeaderField[] = [];
    for (const { name, value } of this.entries.values()) addPairs(pairs, name, value);
    return pairs;
  }
}

/** What goes out when it was all handed to `writeHead` at once, without a map in between. */
export function pairsOfArgument(fields: FieldsArgument): HeaderField[] {
  const pairs: HeaderField[] = [];
  if (isList(fields)) {
    for (const [name, value] of pairsOf(fields)) {
      check(name, value);
      addPairs(pairs, name, value);
    }
  } else {
    for (const name in fields) {
      const value = fields[name];
      if (value === undefined || !Object.hasOwn(fields, name)) continue;
      check(name, value);
      addPairs(pairs, name, value);
    }
  }
  return pairs;
}

function addPairs(pairs: HeaderField[], name: string, value: FieldValue): void {
  if (typeof value === "string") pairs.push([name, value]);
  else for (const one of list(value)) pairs.push([name, one]);
}

function list(value: FieldValue): string[] {
  return Array.isArray(value) ? value.map(String) : [String(value)];
}

/** @throws TypeError as Node's own `setHeader` does */
function check(name: string, value: FieldValue): void {
  if (isKnown(name, value)) return;
  validateHeaderName(name);
  if (Array.isArray(value)) for (const one of value) validateHeaderValue(name, one);
  else validateHeaderValue(name, value as string);
}

function isList(
  fields: FieldsArgument,
): fields is readonly FieldValue[] | readonly (readonly [string, FieldValue])[] {
  return Array.isArray(fields);
}

function pairsOf(
  fields: readonly FieldValue[] | readonly (readonly [string, FieldValue])[],
): readonly (readonly [string, FieldValue])[] {
  if (Array.isArray(fields[0])) return fields as readonly (readonly [string, FieldValue])[];
  const flat = fields as readonly FieldValue[];
  if (flat.length % 2 !== 0) throw new TypeError("a flat list of header fields has a name without a value");
  const pairs: (readonly [string, FieldValue])[] = [];
  for (let index = 0; index < flat.length; index += 2) {
    pairs.push([String(flat[index]), flat[index + 1] ?? ""]);
  }
  return pairs;
}
