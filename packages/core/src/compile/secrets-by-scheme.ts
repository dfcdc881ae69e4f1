/** One source for each kind of reference. */
import { SecretError, type SecretSource, type SecretValue } from "../ports/secrets.js";

function schemeOf(reference: string): string {
  return reference.slice(0, reference.indexOf(":"));
}

/**
 * @param sources by the scheme before the colon: `{ vault: mine }` is asked for `vault:team/key`. A reference of a scheme that is not there
 *   is unresolved, and the load fails.
 */
export function secretsByScheme(sources: Readonly<Record<string, SecretSource>>): SecretSource {
  const entries = Object.entries(sources);
  for (const [scheme, source] of entries) {
    if (!/^[a-z][a-z0-9+.-]{0,31}$/u.test(scheme)) throw new TypeError(`\`${scheme}\` is no scheme`);
    if (typeof source.get !== "function") throw new TypeError(`the source of \`${scheme}\` has no \`get\``);
  }
  const byScheme = new Map(entries);
  return Object.freeze({
    get(reference: string, baseFile?: string): SecretValue | undefined | Promise<SecretValue | undefined> {
      const source = byScheme.get(schemeOf(reference));
      if (source === undefined) throw new SecretError(`no source for \`${schemeOf(reference)}:\``);
      return source.get(reference, baseFile);
    },
    watch(references: readonly string[], changed: () => void, baseFile?: string): () => void {
      const ends = entries.flatMap(([scheme, source]) => {
        const own = references.filter((reference) => schemeOf(reference) === scheme);
        const end = own.length === 0 ? undefined : source.watch?.(own, changed, baseFile);
        return end ?? [];
      });
      return () => {
        for (const end of ends) end();
      };
    },
    concern: (reference: string, baseFile?: string) =>
      byScheme.get(schemeOf(reference))?.concern?.(reference, baseFile),
  });
}
