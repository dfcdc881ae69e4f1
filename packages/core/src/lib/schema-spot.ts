/** A schema on a walk through schemas, and the way to it: spelled out for whoever asks, which is nobody where all is well. */
import { pointerTo } from "./pointer.js";
import type { SchemaPlace } from "./schema-ref.js";

export class SchemaSpot {
  private constructor(
    readonly schema: unknown,
    private readonly start: SchemaPlace,
    private readonly base: string,
    private readonly above: SchemaSpot | undefined,
    private readonly steps: readonly string[],
  ) {}

  /** @param base where the root of the schema stands in the document */
  static at(place: SchemaPlace, base: string): SchemaSpot {
    return new SchemaSpot(place.schema, place, base, undefined, []);
  }

  below(schema: unknown, ...steps: readonly string[]): SchemaSpot {
    return new SchemaSpot(schema, this.start, this.base, this, steps);
  }

  /** Where a reference from here leads, inside of the same root or of another one under `schemas`. */
  leadingTo(target: SchemaPlace): SchemaSpot {
    return SchemaSpot.at(target, target.name === undefined ? this.base : pointerTo("/schemas", target.name));
  }

  /** In the document. */
  pointer(...steps: readonly string[]): string {
    return pointerTo(this.base + this.fromRoot(), ...steps);
  }

  get place(): SchemaPlace {
    return { ...this.start, schema: this.schema, pointer: this.fromRoot() };
  }

  private fromRoot(): string {
    return this.above === undefined ? this.start.pointer : pointerTo(this.above.fromRoot(), ...this.steps);
  }
}
