/** `oneOf` and `anyOf`: which branch a value is held to, told without trying the branches. */
import type { Atom } from "./atom.js";
import { EVERY_TYPE, OBJECT, SINGLE_TYPES } from "./json-type.js";
import type { Expansion, Place, SchemaReader } from "./schema-reader.js";

/** For objects that several branches could take: each requires this member and knows its values. */
interface Tag {
  readonly property: string;
  readonly branches: ReadonlyMap<unknown, number>;
}

export interface Union {
  readonly at: string;
  readonly branches: readonly Place[];
  /** Type bit to index of the branch, or how to find it. */
  readonly choice: ReadonlyMap<number, number | Tag>;
}

/**
 * @param base atoms of the schema in which the union stands: what it requires, its branches need not repeat
 */
export function readUnion(
  reader: SchemaReader,
  place: Place,
  branches: readonly Place[],
  expanded: readonly Expansion[],
  base: readonly Atom[],
): Union {
  const at = reader.at(place);
  const types = expanded.map(typesOf);
  const choice = new Map<number, number | Tag>();
  for (const bit of SINGLE_TYPES) {
    const fitting = types.flatMap((bits, index) => ((bits & bit) === 0 ? [] : [index]));
    const [only, ...others] = fitting;
    if (only === undefined) continue;
    if (others.length === 0) choice.set(bit, only);
    else {
      const tag = bit === OBJECT ? tagOf(reader, fitting, expanded, base) : undefined;
      if (tag === undefined) return indistinct(reader, at, branches);
      choice.set(bit, tag);
    }
  }
  return { at, branches, choice };
}

function indistinct(reader: SchemaReader, at: string, branches: readonly Place[]): Union {
  reader.report.error(
    "indistinct-branches",
    at,
    "the branches cannot be told apart",
    "give each another `type`, or a required property with a `const` or `enum` of its own",
  );
  return { at, branches, choice: new Map() };
}

/** Types that fit everything which the schema says. */
function typesOf({ atoms, unions }: Expansion): number {
  let bits = EVERY_TYPE;
  for (const atom of atoms) if (atom.kind !== "link" && atom.kind !== "any") bits &= atom.types;
  for (const union of unions) bits &= [...union.choice.keys()].reduce((any, bit) => any | bit, 0);
  return bits;
}

function tagOf(
  reader: SchemaReader,
  fitting: readonly number[],
  expanded: readonly Expansion[],
  base: readonly Atom[],
): Tag | undefined {
  const [first] = fitting;
  const candidates =
    first === undefined ? [] : (expanded[first]?.atoms ?? []).flatMap((atom) => [...atom.properties.keys()]);
  for (const property of new Set(candidates)) {
    const branches = new Map<unknown, number>();
    const told = fitting.every((index) => {
      const atoms = expanded[index]?.atoms ?? [];
      const required = [...base, ...atoms].some((atom) => atom.required.includes(property));
      const values = required ? valuesOf(reader, atoms, property) : undefined;
      return (
        values?.every((value) => isScalar(value) && !branches.has(value) && branches.set(value, index)) ===
        true
      );
    });
    if (told) return { property, branches };
  }
  return undefined;
}

function valuesOf(
  reader: SchemaReader,
  atoms: readonly Atom[],
  property: string,
): readonly unknown[] | undefined {
  for (const atom of atoms) {
    const place = atom.properties.get(property);
    const values =
      place === undefined
        ? undefined
        : reader.expand(place).atoms.find(({ values }) => values !== undefined)?.values;
    if (values !== undefined) return values;
  }
  return undefined;
}

function isScalar(value: unknown): boolean {
  return typeof value !== "object" || value === null;
}

/** Index of the branch that fits, or undefined. */
export function branchFor(union: Union, bit: number, value: unknown): number | undefined {
  const found = union.choice.get(bit);
  if (typeof found !== "object") return found;
  const { property, branches } = found;
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, property)) return undefined;
  return branches.get((value as Readonly<Record<string, unknown>>)[property]);
}
