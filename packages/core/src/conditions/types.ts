/** Types of the condition language, and what a value must look like to have one. */

/** A thing with named members of known types: a root such as `principal`, or an object of a schema. Never a value by itself. */
export interface RecordType {
  /** As an author would say it: `principal`, `body.customer`. */
  readonly title: string;
  /** Types of declared members; a Map, because the names are the author's. */
  readonly fields: ReadonlyMap<string, CelType>;
  /** Type of every other member; undefined: there is none. */
  readonly others: CelType | undefined;
}

export type CelType =
  | { readonly kind: "bool" | "int" | "double" | "string" | "null" | "dyn" | "timestamp" | "duration" }
  | { readonly kind: "list" | "map"; readonly of: CelType }
  | { readonly kind: "record"; readonly record: RecordType };

export const BOOL: CelType = { kind: "bool" };
export const INT: CelType = { kind: "int" };
export const DOUBLE: CelType = { kind: "double" };
export const STRING: CelType = { kind: "string" };
export const NULL: CelType = { kind: "null" };
export const DYN: CelType = { kind: "dyn" };
export const TIMESTAMP: CelType = { kind: "timestamp" };
export const DURATION: CelType = { kind: "duration" };
export const STRINGS: CelType = { kind: "list", of: STRING };
export const CLAIMS: CelType = { kind: "map", of: DYN };

/** As the author reads it in a message. */
export function typeName(type: CelType): string {
  switch (type.kind) {
    case "list":
      return `list<${typeName(type.of)}>`;
    case "map":
      return `map<string, ${typeName(type.of)}>`;
    case "record":
      return type.record.title;
    default:
      return type.kind;
  }
}

/** Instants and durations are numbers while they run, so they must never meet a value whose type is only known then. */
export function isTime(type: CelType): boolean {
  if (type.kind === "list" || type.kind === "map") return isTime(type.of);
  return type.kind === "timestamp" || type.kind === "duration";
}

/** Does a value of the request have the type that its schema promised? In observe mode nothing was refused that does not. */
export function guardOf(type: CelType): ((value: unknown) => boolean) | undefined {
  switch (type.kind) {
    case "bool":
      return (value) => typeof value === "boolean";
    case "int":
      return Number.isSafeInteger;
    case "double":
      return (value) => typeof value === "number";
    case "string":
      return (value) => typeof value === "string";
    case "null":
      return (value) => value === null;
    case "list":
      return Array.isArray;
    case "map":
    case "record":
      return (value) => typeof value === "object" && value !== null && !Array.isArray(value);
    case "timestamp":
    case "duration":
    case "dyn":
      return undefined;
  }
}
