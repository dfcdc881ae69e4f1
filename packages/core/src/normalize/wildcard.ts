/** `*.x` stands for exactly one more label, and for nothing that a careless pattern would let in beside it. */

const LABEL_MAX = 63;

/**
 * The rest of a host after its first label, with the dot: `shop.example.com` gives `.example.com`.
 * @param from where the host begins in the text
 * @returns undefined when the first label is none
 */
export function afterFirstLabel(text: string, from: number): string | undefined {
  const dot = text.indexOf(".", from);
  if (dot <= from || dot - from > LABEL_MAX) return undefined;
  for (let i = from; i < dot; i += 1) {
    if (!isLabelCharacter(text.charCodeAt(i))) return undefined;
  }
  return text.slice(dot);
}

/** Lower-case letters, digits and `-`: what a label of a canonical host name is made of. */
function isLabelCharacter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || code === 45;
}
