/** `$ref` as the policy language has it: into the document's `schemas`, or into the schema in which it stands. */
import { escapeSegment, parsePointer, valueAt } from "./pointer.js";

/** A schema together with the schema that `#` means inside it. */
export interface SchemaPlace {
  readonly schema: unknown;
  readonly root: unknown;
  /** Name under `schemas`; undefined inside the schema where the search began. */
  readonly name: string | undefined;
  /** JSON Pointer from `root`. */
  readonly pointer: string;
}

/** Undefined: nothing stands there, or the reference is of a kind that the language does not have (another document, an anchor). */
export function resolveSchemaRef(
  reference: string,
  from: SchemaPlace,
  schemas: Readonly<Record<string, unknown>>,
): SchemaPlace | undefined {
  const segments = segmentsOf(reference);
  if (segments === undefined) return undefined;
  if (segments[0] !== "schemas") return placeIn(from.root, from.name, segments);
  const [, name, ...rest] = segments;
  if (name === undefined || !Object.hasOwn(schemas, name)) return undefined;
  return placeIn(schemas[name], name, rest);
}

function placeIn(
  root: unknown,
  name: string | undefined,
  segments: readonly string[],
): SchemaPlace | undefined {
  const schema = valueAt(root, segments);
  if (schema === undefined) return undefined;
  return { schema, root, name, pointer: segments.map((segment) => `/${escapeSegment(segment)}`).join("") };
}

/** A fragment is percent-encoded (RFC 6901 section 6). */
function segmentsOf(reference: string): string[] | undefined {
  if (!reference.startsWith("#")) return undefined;
  try {
    return parsePointer(decodeURIComponent(reference.slice(1)));
  } catch {
    return undefined;
  }
}
