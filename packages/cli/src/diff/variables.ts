/** Unknowns of a condition, each with values that stand for all others: whatever a request brings, one of them behaves like it. */

/** Nothing stands there. */
export const ABSENT: unique symbol = Symbol("absent");
/** Of a type that nothing is compared with. */
export const ODD: unique symbol = Symbol("odd");
export type Value = string | number | boolean | null | typeof ABSENT | typeof ODD;
export type Truth = boolean | "error";

/** How an unknown of a witness is brought about. */
export type Origin =
  | { readonly kind: "role"; readonly roles: readonly string[] }
  | { readonly kind: "scope"; readonly scope: string }
  | { readonly kind: "claim"; readonly path: readonly string[] }
  /** A time, by how many seconds ago it was. */
  | { readonly kind: "since"; readonly claim: string }
  | { readonly kind: "attribute"; readonly name: string }
  | { readonly kind: "id" }
  | { readonly kind: "params" | "query" | "headers" | "cookies"; readonly name: string }
  | { readonly kind: "body"; readonly path: readonly string[] }
  | { readonly kind: "ip" }
  | { readonly kind: "method" }
  | { readonly kind: "check"; readonly name: string }
  /** Two unknowns that are compared with each other. */
  | { readonly kind: "equal"; readonly left: Origin; readonly right: Origin }
  | { readonly kind: "opaque" };

export interface Variable {
  readonly id: string;
  readonly origin: Origin;
  readonly domain: Set<Value>;
}

export type Assignment = ReadonlyMap<string, Value>;

export class Variables {
  readonly #known = new Map<string, Variable>();

  /** The same unknown for the same id. */
  flag(id: string, origin: Origin): string {
    return this.#add(id, origin, [false, true]);
  }

  truth(id: string, origin: Origin): string {
    return this.#add(id, origin, [true, false, "error"]);
  }

  /** @param always whether it cannot be absent */
  value(id: string, origin: Origin, always: boolean): string {
    return this.#add(id, origin, always ? ["other"] : [ABSENT, "other"]);
  }

  /** Values that the unknown is compared with, and what lies between and beside them. */
  compared(id: string, values: readonly Value[]): void {
    const domain = this.#known.get(id)?.domain;
    if (domain === undefined) return;
    for (const value of values) domain.add(value);
    if (values.some((value) => typeof value !== "string")) domain.add(ODD);
  }

  get all(): readonly Variable[] {
    return [...this.#known.values()].map(({ id, origin, domain }) => ({
      id,
      origin,
      domain: filled(domain),
    }));
  }

  #add(id: string, origin: Origin, domain: readonly Value[]): string {
    if (!this.#known.has(id)) this.#known.set(id, { id, origin, domain: new Set(domain) });
    return id;
  }
}

/** Numbers and texts have an order: what lies between two of them is another case. */
function filled(domain: ReadonlySet<Value>): Set<Value> {
  const values = new Set(domain);
  const numbers = [...domain].filter((value) => typeof value === "number").sort((a, b) => a - b);
  for (const [at, value] of numbers.entries()) {
    const next = numbers[at + 1];
    values.add(value - 1);
    values.add(value + 1);
    values.add(next === undefined ? value + 0.5 : (value + next) / 2);
    values.add(value - 0.5);
  }
  const texts = [...domain].filter((value) => typeof value === "string");
  // Other than all of them: a text that is compared with may be spelled so.
  let other = "other";
  while (texts.filter((text) => text === other).length > 0 && domain.has(other) && other !== "other")
    other += "-";
  if (texts.length > 1) values.add(`${texts.sort().at(-1) ?? ""}-other`);
  return values;
}
