/** What fastify keeps under symbols of its own. Each copy of fastify has its own symbols, so they are found by their descriptions. */

/** Undefined where this fastify keeps no such thing. @param owner whose own property it is, or that of a prototype */
export function internal(owner: object, description: string): unknown {
  for (let one: object | null = owner; one !== null; one = Object.getPrototypeOf(one) as object | null) {
    const symbol = symbolOf(one, description);
    if (symbol !== undefined) return (one as Record<symbol, unknown>)[symbol];
  }
  return undefined;
}

function symbolOf(owner: object, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(owner).find((symbol) => symbol.description === description);
}
