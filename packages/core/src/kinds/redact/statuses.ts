/** Which schema shapes the body of which status. */
import { pointerTo } from "../../lib/pointer.js";
import { errorBodySchema } from "../../model/error-body.js";
import type { ResolvedErrors, ResolvedRoute } from "../../model/resolved.js";
import type { NodeBuilder } from "./builder.js";
import type { Step } from "./node.js";
import type { Place, SchemaReader } from "./schema-reader.js";

/** What becomes of a body of one status. */
export type StatusRule =
  | { readonly kind: "node"; readonly step: Step }
  /** No schema covers the status. */
  | { readonly kind: "uncovered" };

/** Schemas of a route's answers by the key that they stand under: `200`, `2xx`, `default`. */
export function schemasByStatus(route: ResolvedRoute, reader: SchemaReader): ReadonlyMap<string, Place> {
  const { body, bodies } = route.response;
  if (bodies !== undefined) {
    const entries = Object.entries(bodies.value);
    return new Map(
      entries.map(([key, schema]) => [key, reader.rootAt(schema, pointerTo(bodies.pointer, key))]),
    );
  }
  return new Map(body === undefined ? [] : [["2xx", reader.rootAt(body.value, body.pointer)]]);
}

/** The same, and that of events. */
export function schemasOf(route: ResolvedRoute, reader: SchemaReader): readonly Place[] {
  const { events } = route.response;
  const places = [...schemasByStatus(route, reader).values()];
  return events === undefined ? places : [...places, reader.rootAt(events.value, events.pointer)];
}

/** The bodies of the application's own errors leave only as far as the error shape goes; one schema for each shape and status. */
export class ErrorBodies {
  readonly #places = new Map<string, Place>();

  constructor(private readonly reader: SchemaReader) {}

  place(errors: ResolvedErrors, status: number): Place {
    const { expose, correlation, bodies } = errors;
    const key = JSON.stringify([status, expose, correlation === undefined, bodies?.pointer ?? null]);
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    const place = this.reader.foreign(errorBodySchema(errors, status));
    this.#places.set(key, place);
    return place;
  }
}

/** Exact before class before default. */
export function ruleFor(
  route: ResolvedRoute,
  status: number,
  schemas: ReadonlyMap<string, Place>,
  builder: NodeBuilder,
  tools: { readonly reader: SchemaReader; readonly errorBodies: ErrorBodies; readonly whole: Place },
): StatusRule {
  const place =
    schemas.get(String(status)) ?? schemas.get(`${Math.floor(status / 100)}xx`) ?? schemas.get("default");
  const { body, bodies } = route.response;
  if (place === undefined && bodies !== undefined) return { kind: "uncovered" };
  const fallback = body === undefined ? tools.whole : tools.errorBodies.place(route.errors, status);
  return { kind: "node", step: builder.root(tools.reader.expand(place ?? fallback)) };
}
