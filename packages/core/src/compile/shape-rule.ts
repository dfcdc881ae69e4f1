/** What the generated table of `shape-rules.gen.ts` is made of: JSON Schema, with its unions already decided. */

export type JsonType = "object" | "array" | "string" | "number" | "boolean" | "null";

export interface Rule {
  /** Name of another rule of the table. */
  readonly ref?: string;
  readonly type?: JsonType | "integer" | readonly JsonType[];
  readonly enum?: readonly (string | number | boolean)[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly items?: Rule;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly properties?: Readonly<Record<string, Rule>>;
  readonly required?: readonly string[];
  /** No key besides `properties`. */
  readonly closed?: boolean;
  /** Every key besides `properties`. */
  readonly others?: Rule;
  readonly names?: Rule;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  /** By the JSON type of the value. */
  readonly union?: Readonly<Partial<Record<JsonType, Rule>>>;
  /** Kinds of objects that are told apart by their constant `type`. */
  readonly byType?: Readonly<Record<string, Rule>>;
  /** Kinds of objects that are told apart by the key that each requires. */
  readonly byKey?: Readonly<Record<string, Rule>>;
  /** In words, for messages: `a duration …`. */
  readonly expected?: string;
  /** No message repeats the value. */
  readonly sensitive?: boolean;
  /** The same, and a text here is taken for a secret that was written out. */
  readonly holdsSecret?: boolean;
}

export type ShapeRules = Readonly<Record<string, Rule>>;

/** Checks one value against one rule. */
export type Walk = (value: unknown, rule: Rule, pointer: string) => void;
