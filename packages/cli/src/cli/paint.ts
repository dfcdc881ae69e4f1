/** Colours of a terminal, or none. */
const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34 } as const;

export type Paint = (style: keyof typeof CODES, text: string) => string;

export function paint(on: boolean): Paint {
  return (style, text) => (on ? `\u001B[${CODES[style]}m${text}\u001B[0m` : text);
}
