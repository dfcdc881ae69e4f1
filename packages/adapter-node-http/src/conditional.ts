/** Questions about a representation that the handler has and the caller must not. */
import type { IncomingMessage } from "node:http";

const CONDITIONS: ReadonlySet<string> = new Set(["if-none-match", "if-modified-since", "if-range", "range"]);
/** A bit for each length: all are below 32. */
const LENGTHS = Array.from(CONDITIONS, (name) => 1 << name.length).reduce((all, one) => all | one);

/**
 * Under a body rule a 304 would tell that the unredacted text is unchanged, and a 206 would cut it where no rule can follow
 * (RFC 9110 sections 13 and 14). The handler does not see that it was asked, and answers whole.
 */
export function hideConditions(req: IncomingMessage): void {
  if (req.method !== "GET" && req.method !== "HEAD") return;
  const raw = req.rawHeaders;
  for (let index = raw.length - 2; index >= 0; index -= 2) {
    const name = conditionAt(raw, index);
    if (name === undefined) continue;
    // Node makes these two from the raw list when first asked, and counts on its length: they are asked before it changes.
    const { headers, headersDistinct } = req;
    delete headers[name];
    // HTTP/2's compatibility API has no such object.
    delete (headersDistinct as typeof headersDistinct | undefined)?.[name];
    raw.splice(index, 2);
  }
}

/** Lengths first: this is asked of every field of every request under a body rule. */
function conditionAt(raw: readonly string[], index: number): string | undefined {
  const name = raw[index];
  if (name === undefined || name.length > 31 || (LENGTHS & (1 << name.length)) === 0) return undefined;
  // `Authorization` is as long as one of them. 105 is `i`, 114 is `r`.
  const first = name.charCodeAt(0) | 32;
  if (first !== 105 && first !== 114) return undefined;
  const lower = name.toLowerCase();
  return CONDITIONS.has(lower) ? lower : undefined;
}
