/**
 * Text of a whole number that is another one each time. The engine's own conversion keeps each text in a table that outlives the request,
 * and what it keeps has to be copied by the collector: here one of a thousand texts is taken, or two or three are joined.
 */
interface Texts {
  readonly plain: readonly string[];
  /** With leading zeros. */
  readonly padded: readonly string[];
}

let texts: Texts | undefined;

/** Made when first needed: many processes never write one. */
function make(): Texts {
  const plain = Array.from({ length: 1000 }, (_, number) => String(number));
  return { plain, padded: plain.map((text) => text.padStart(3, "0")) };
}

export function decimal(whole: number): string {
  const { plain, padded } = (texts ??= make());
  if (whole < 1000) return plain[whole] ?? String(whole);
  if (whole >= 1_000_000_000) return String(whole);
  const rest = whole % 1000;
  return decimal((whole - rest) / 1000) + (padded[rest] ?? "");
}
