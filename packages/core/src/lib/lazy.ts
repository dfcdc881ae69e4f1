/** What is worked out when somebody first asks for it, and once. */
export function lazy<T extends string | object>(work: () => T): () => T {
  let known: T | undefined;
  return () => (known ??= work());
}
