/** Tags and comments out of a text, in one pass: what is left is text, and holds nothing that begins a tag. */

const LESS = "<";

/**
 * Cuts until nothing changes. A `<` before a letter, `/`, `!` or `?` begins a tag, as in a browser; a tag ends at the next `>`, a
 * comment at the next `-->`, and one that does not end is cut to the end of the text, since what is put behind the text
 * later would end it. What meets over a cut is looked at again, so `<<b>script>` leaves nothing. Nothing is encoded or decoded.
 */
export function stripMarkup(text: string): string {
  if (!text.includes(LESS)) return text;
  // Every `<` that stays is an entry of its own, so that taking back the last one costs the same wherever it stands: cutting and
  // starting again would be quadratic on `<<<<a>a>a>a>`.
  const kept: string[] = [];
  let at = 0;
  while (at < text.length) {
    if (kept.at(-1) === LESS && beginsTag(text.charCodeAt(at))) {
      kept.pop();
      at = endOfTag(text, at);
    } else if (text[at] === LESS) {
      kept.push(LESS);
      at += 1;
    } else {
      const next = text.indexOf(LESS, at);
      const end = next === -1 ? text.length : next;
      kept.push(text.slice(at, end));
      at = end;
    }
  }
  return kept.join("");
}

/** Letters, `/`, `!` and `?` (HTML standard, tag open state). */
function beginsTag(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    code === 0x2f ||
    code === 0x21 ||
    code === 0x3f
  );
}

/** @param at what stands behind the `<` */
function endOfTag(text: string, at: number): number {
  // From the first hyphen on: `<!-->` and `<!--->` are whole comments.
  const end = text.startsWith("!--", at) ? endOf(text, "-->", at + 1) : endOf(text, ">", at);
  return end === -1 ? text.length : end;
}

function endOf(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from);
  return found === -1 ? -1 : found + mark.length;
}
