/** Values that fit a schema. */
import type { Arbitrary } from "fast-check";
import type { FastCheck } from "./fast-check.js";
import { FORMAT_EXAMPLES } from "./formats.js";
import {
  isRecord,
  likelyType,
  numberIn,
  plainSchema,
  rangeOf,
  textsIn,
  within,
  type PlainSchema,
  type Schemas,
} from "./plain-schema.js";
import type { SchemaPlace } from "../../lib/schema-ref.js";

/** Below this the smallest value that fits is made: a schema may refer to itself. */
const DEEPEST = 4;

export class SchemaValues {
  constructor(
    private readonly fc: FastCheck,
    readonly schemas: Schemas,
  ) {}

  plain(place: SchemaPlace): PlainSchema {
    return plainSchema(place, this.schemas);
  }

  /** Values that fit, bounds among them. */
  fitting(place: SchemaPlace, depth = 0): Arbitrary<unknown> {
    const { fc } = this;
    const plain = this.plain(place);
    const { keywords } = plain;
    if ("const" in keywords) return fc.constant(keywords["const"]);
    if (Array.isArray(keywords["enum"])) return fc.constantFrom(...(keywords["enum"] as readonly unknown[]));
    for (const choice of ["anyOf", "oneOf"]) {
      const branches = keywords[choice];
      if (!Array.isArray(branches) || branches.length === 0) continue;
      const { [choice]: _, ...rest } = keywords;
      const merged = branches.map((branch: unknown) =>
        this.fitting(within(plain, { allOf: [branch, rest] }), depth),
      );
      return fc.oneof(...merged);
    }
    switch (likelyType(plain)) {
      case "object":
        return this.object(plain, depth);
      case "array":
        return this.array(plain, depth);
      case "integer":
        return this.number(plain, true);
      case "number":
        return this.number(plain, false);
      case "boolean":
        return fc.boolean();
      case "null":
        return fc.constant(null);
      default:
        return this.text(plain);
    }
  }

  private object(plain: PlainSchema, depth: number): Arbitrary<unknown> {
    const properties = isRecord(plain.keywords["properties"]) ? plain.keywords["properties"] : {};
    const required = requiredOf(plain);
    const model: Record<string, Arbitrary<unknown>> = {};
    for (const [name, schema] of Object.entries(properties)) {
      const place = within(plain, schema);
      if (this.plain(place).never || (depth >= DEEPEST && !required.includes(name))) continue;
      model[name] = this.fitting(place, depth + 1);
    }
    for (const name of required) if (!Object.hasOwn(model, name)) model[name] = this.fc.constant(0);
    return this.fc.record(model, { requiredKeys: [...required], noNullPrototype: true });
  }

  private array(plain: PlainSchema, depth: number): Arbitrary<unknown> {
    const { fc } = this;
    const { keywords } = plain;
    const prefix = Array.isArray(keywords["prefixItems"])
      ? (keywords["prefixItems"] as readonly unknown[])
      : [];
    const minItems = numberIn(keywords, "minItems") ?? 0;
    const most = numberIn(keywords, "maxItems") ?? Infinity;
    const first = fc.tuple(...prefix.map((schema) => this.fitting(within(plain, schema), depth + 1)));
    const minLength = Math.max(0, minItems - prefix.length);
    const maxLength = Math.max(
      minLength,
      Math.min(most - prefix.length, depth >= DEEPEST ? minLength : minLength + 3),
    );
    if (keywords["items"] === false || maxLength === 0) return first;
    const item = this.fitting(within(plain, keywords["items"] ?? { type: "string" }), depth + 1);
    const rest =
      keywords["uniqueItems"] === true
        ? fc.uniqueArray(item, { minLength, maxLength, selector: (value) => JSON.stringify(value) })
        : fc.array(item, { minLength, maxLength });
    return fc.tuple(first, rest).map(([before, after]) => [...before, ...after]);
  }

  private number(plain: PlainSchema, integer: boolean): Arbitrary<unknown> {
    const { fc } = this;
    const { low, high, step } = rangeOf(plain, integer);
    const bounds = fc.constantFrom(low, Math.max(low, high));
    const max = Math.max(0, Math.min(2 ** 31 - 1, Math.round((high - low) / step)));
    const between = fc.integer({ min: 0, max }).map((steps) => low + steps * step);
    return fc.oneof({ weight: 1, arbitrary: bounds }, { weight: 4, arbitrary: between });
  }

  text({ keywords }: PlainSchema): Arbitrary<string> {
    const { fc } = this;
    const { format, pattern, allowedUrl } = keywords;
    const minLength = numberIn(keywords, "minLength") ?? 0;
    const maxLength = numberIn(keywords, "maxLength") ?? Math.max(minLength, 20);
    const fits = (text: string): boolean => {
      // Code points, as JSON Schema counts.
      const { length } = Array.from(text);
      return length >= minLength && length <= maxLength && isHarmless(text);
    };
    if (isRecord(allowedUrl)) return fc.constant(urlOf(allowedUrl));
    if (typeof pattern === "string") {
      const made = matching(fc, pattern);
      if (made !== undefined) return made.filter(fits);
    }
    if (typeof format === "string") {
      const examples = FORMAT_EXAMPLES[format] ?? [""];
      return format === "uuid" ? fc.uuid() : fc.constantFrom(...examples);
    }
    const letter = fc.constantFrom(...LETTERS);
    const of = (length: number): Arbitrary<string> =>
      fc.string({ unit: letter, minLength: length, maxLength: length });
    const ends = fc.oneof(of(minLength), of(Math.min(maxLength, 10_000)));
    const between = fc.string({ unit: letter, minLength, maxLength: Math.min(maxLength, minLength + 12) });
    return fc.oneof({ weight: 1, arbitrary: ends }, { weight: 4, arbitrary: between });
  }
}

const LETTERS = Array.from("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789_-");

export function requiredOf({ keywords }: PlainSchema): readonly string[] {
  return textsIn(keywords["required"]);
}

/** Undefined for a pattern that the generator does not know how to fill. */
function matching(fc: FastCheck, pattern: string): Arbitrary<string> | undefined {
  try {
    return fc.stringMatching(new RegExp(pattern, "u"));
  } catch {
    return undefined;
  }
}

/** What no guard of bodies and parameters has anything against. */
export function isHarmless(text: string): boolean {
  return !/[\u0000-\u001F\u007F-\u009F\u2028\u2029]|\p{Surrogate}/u.test(text);
}

function urlOf({ schemes, hosts }: Readonly<Record<string, unknown>>): string {
  const [scheme = "https"] = Array.isArray(schemes) ? (schemes as readonly unknown[]) : [];
  const [host = "example.com"] = Array.isArray(hosts) ? (hosts as readonly unknown[]) : [];
  return `${String(scheme)}://${String(host).replace(/^\*/u, "a")}/`;
}
