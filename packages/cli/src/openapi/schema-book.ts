/** Schemas of a policy as components of a description: what refers, refers there. */
import type { PolicyDocument } from "@gatehouse/core";
import { pointerTo } from "../lib/pointer.js";
import { isObject } from "./source.js";

type Node = Record<string, unknown>;

/** Words of ours, which other readers of JSON Schema do not have. */
const OURS: ReadonlyMap<string, string> = new Map([
  ["allowedUrl", "x-gatehouse-allowed-url"],
  ["redact", "x-gatehouse-redact"],
]);
/** What stands there is data, or names. */
const DATA: ReadonlySet<string> = new Set([
  "enum",
  "const",
  "default",
  "examples",
  "required",
  "dependentRequired",
  "redact",
  "allowedUrl",
]);
const MAPS: ReadonlySet<string> = new Set(["properties", "patternProperties", "dependentSchemas", "$defs"]);

export class SchemaBook {
  private readonly written = new Map<string, unknown>();

  constructor(
    policy: PolicyDocument,
    private readonly plain: boolean,
  ) {
    for (const name of Object.keys(policy.schemas ?? {})) this.written.set(name, undefined);
    for (const [name, schema] of Object.entries(policy.schemas ?? {}))
      this.written.set(
        name,
        this.rewrite(schema, (reference) => `#/components/schemas/${name}${reference.slice(1)}`),
      );
  }

  get components(): Node {
    return Object.fromEntries([...this.written].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /**
   * A schema that stands at a route. One that refers to parts of itself becomes a component: where it would stand, such a reference
   * would lead elsewhere.
   * @param hint for the name of such a component
   */
  describe(schema: unknown, hint: string): unknown {
    let inward = false;
    this.rewrite(schema, (reference) => {
      inward = true;
      return reference;
    });
    if (!inward) return this.rewrite(schema, (reference) => reference);
    const name = this.freeName(
      hint.replaceAll(/[^A-Za-z0-9._-]+/gu, "_").replaceAll(/^_+|_+$/gu, "") || "Schema",
    );
    this.written.set(
      name,
      this.rewrite(schema, (reference) => `#/components/schemas/${name}${reference.slice(1)}`),
    );
    return { $ref: `#/components/schemas/${name}` };
  }

  private freeName(wanted: string): string {
    for (let number = 1; ; number++) {
      const name = number === 1 ? wanted : `${wanted}_${number}`;
      if (!this.written.has(name)) return name;
    }
  }

  /** @param inward for a reference to a part of the same schema: `#`, `#/$defs/…` */
  private rewrite(schema: unknown, inward: (reference: string) => string): unknown {
    if (Array.isArray(schema)) return schema.map((one: unknown) => this.rewrite(one, inward));
    if (!isObject(schema)) return schema;
    return Object.fromEntries(
      Object.entries(schema).flatMap(([key, value]): [string, unknown][] => {
        const ours = OURS.get(key);
        if (ours !== undefined) return this.plain ? [] : [[ours, value]];
        if (key === "$ref" && typeof value === "string") {
          const [, name] = /^#\/schemas\/([^/]+)$/u.exec(value) ?? [];
          return [[key, name === undefined ? inward(value) : pointerTo("#/components/schemas", name)]];
        }
        if (DATA.has(key)) return [[key, value]];
        if (MAPS.has(key) && isObject(value))
          return [
            [
              key,
              Object.fromEntries(
                Object.entries(value).map(([name, one]) => [name, this.rewrite(one, inward)]),
              ),
            ],
          ];
        return [[key, this.rewrite(value, inward)]];
      }),
    );
  }
}
