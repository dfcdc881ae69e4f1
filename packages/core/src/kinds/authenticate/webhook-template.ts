/** Templates of webhook signatures: text around names in braces. */

export type Piece = { readonly text: string } | { readonly name: string };

/** Undefined for a brace that belongs to no name. Neighbouring texts are one, and none is empty. */
export function parseTemplate(template: string): readonly Piece[] | undefined {
  const pieces: Piece[] = [];
  const parts = template.split(/\{([a-z0-9]+)\}/u);
  for (const [index, part] of parts.entries()) {
    if (index % 2 === 1) pieces.push({ name: part });
    else if (/[{}]/u.test(part)) return undefined;
    else if (part !== "") pieces.push({ text: part });
  }
  return pieces;
}

export function namesIn(pieces: readonly Piece[]): readonly string[] {
  return pieces.flatMap((piece) => ("name" in piece ? [piece.name] : []));
}

/** Two names without a text between them: where one ends and the other begins, nobody can tell. */
export function hasNeighbours(pieces: readonly Piece[]): boolean {
  return pieces.some((piece, index) => {
    const next = pieces[index + 1];
    return "name" in piece && next !== undefined && "name" in next;
  });
}

/** The text behind a name; undefined at the end. */
export function textAfter(pieces: readonly Piece[], name: string): string | undefined {
  const at = pieces.findIndex((piece) => "name" in piece && piece.name === name);
  const next = pieces[at + 1];
  return next !== undefined && "text" in next ? next.text : undefined;
}

/** The text in front of a name; undefined at the start. */
export function textBefore(pieces: readonly Piece[], name: string): string | undefined {
  const at = pieces.findIndex((piece) => "name" in piece && piece.name === name);
  const before = pieces[at - 1];
  return before !== undefined && "text" in before ? before.text : undefined;
}
