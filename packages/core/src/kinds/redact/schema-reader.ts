/** Reads response schemas: follows references and takes `allOf` apart, so that a node knows all that is declared for it. */
import type { Report } from "../../errors/diagnostics.js";
import { escapeSegment } from "../../lib/pointer.js";
import { resolveSchemaRef, type SchemaPlace } from "../../lib/schema-ref.js";
import type { JsonSchema } from "../../model/policy.js";
import { type Atom, readAtom } from "./atom.js";
import { readUnion, type Union } from "./union.js";

/** A schema, and where it stands in the document. */
export interface Place extends SchemaPlace {
  /** Document pointer of `root`. */
  readonly base: string;
}

/** All that holds for a value at once. */
export interface Expansion {
  readonly atoms: readonly Atom[];
  /** One branch of each is to be added. */
  readonly unions: readonly Union[];
}

const NOTHING: Expansion = { atoms: [], unions: [] };

export class SchemaReader {
  readonly #expansions = new Map<string, Expansion>();
  #foreign = 0;

  constructor(
    private readonly schemas: Readonly<Record<string, JsonSchema>>,
    /** Every problem of a schema is reported once, when the schema is first met. */
    readonly report: Report,
  ) {}

  /** A schema that stands in the document at `base`. */
  rootAt(schema: unknown, base: string): Place {
    return { schema, root: schema, name: undefined, pointer: "", base };
  }

  /** A schema that the engine made itself. */
  foreign(schema: unknown): Place {
    return this.rootAt(schema, `#${this.#foreign++}`);
  }

  below(place: Place, schema: unknown, ...segments: readonly (string | number)[]): Place {
    const pointer = place.pointer + segments.map((segment) => `/${escapeSegment(segment)}`).join("");
    return { ...place, schema, pointer };
  }

  at(place: Place): string {
    return place.base + place.pointer;
  }

  /** What the schema says with all that it refers to. Each place is read once. */
  expand(place: Place): Expansion {
    return this.#expand(place, new Set());
  }

  /** Everything that an answer can reach from there, each atom once. */
  reach(start: Place): readonly Atom[] {
    const atoms = new Map<string, Atom>();
    const places = [start];
    for (const place of places) {
      const { atoms: found, unions } = this.expand(place);
      for (const union of unions) if (!atoms.has(union.at)) places.push(...union.branches);
      for (const atom of found) {
        if (atoms.has(atom.at)) continue;
        atoms.set(atom.at, atom);
        places.push(...placesBelow(atom));
      }
    }
    return [...atoms.values()];
  }

  #expand(place: Place, above: ReadonlySet<string>): Expansion {
    const at = this.at(place);
    const known = this.#expansions.get(at);
    if (known !== undefined) return known;
    if (above.has(at)) {
      this.report.error("circular-schema", at, "the schema refers to itself before it declares anything");
      return NOTHING;
    }
    const expansion = this.#read(place, new Set(above).add(at));
    this.#expansions.set(at, expansion);
    return expansion;
  }

  #read(place: Place, above: ReadonlySet<string>): Expansion {
    const atoms = [readAtom(this, place)];
    const unions: Union[] = [];
    const { schema } = place;
    if (typeof schema !== "object" || schema === null) return { atoms, unions };
    const parts = [...this.#referred(place, schema), ...this.#list(place, schema, "allOf")];
    for (const part of parts) {
      const expansion = this.#expand(part, above);
      atoms.push(...expansion.atoms);
      unions.push(...expansion.unions);
    }
    for (const keyword of ["oneOf", "anyOf"] as const) {
      const branches = this.#list(place, schema, keyword);
      if (branches.length === 0) continue;
      const expanded = branches.map((branch) => this.#expand(branch, above));
      unions.push(readUnion(this, this.below(place, schema, keyword), branches, expanded, atoms));
    }
    return { atoms, unions };
  }

  #referred(place: Place, schema: object): readonly Place[] {
    const reference = (schema as { readonly $ref?: unknown }).$ref;
    if (typeof reference !== "string") return [];
    const found = resolveSchemaRef(reference, place, this.schemas);
    if (found === undefined) {
      this.report.error("unknown-schema", `${this.at(place)}/$ref`, `\`${reference}\` leads to no schema`);
      return [];
    }
    const base = found.root === place.root ? place.base : `/schemas/${escapeSegment(found.name ?? "")}`;
    return [{ ...found, base }];
  }

  #list(place: Place, schema: object, keyword: string): readonly Place[] {
    const parts: unknown = (schema as Readonly<Record<string, unknown>>)[keyword];
    return Array.isArray(parts)
      ? parts.map((part: unknown, index) => this.below(place, part, keyword, index))
      : [];
  }
}

function placesBelow(atom: Atom): readonly Place[] {
  const { properties, patterns, additional, prefix, items } = atom;
  const single = [additional, items].filter((place) => place !== undefined);
  return [...properties.values(), ...patterns.map(({ place }) => place), ...prefix, ...single];
}
