/** The router's notation of paths in the policy's. */

export interface PathPattern {
  /** Undefined where a policy cannot say it: a regular expression, a part of a segment. */
  readonly exact: string | undefined;
  /** The narrowest pattern of a policy's that fits at least the same paths. */
  readonly near: string;
}

/** @param path as the router knows it, without an optional parameter */
export function patternOf(path: string): PathPattern {
  const near: string[] = [];
  let exact = true;
  for (const segment of segmentsOf(path.replace(/\/{2,}/g, "/"))) {
    const read = readSegment(segment, near.length);
    exact &&= read.exact;
    near.push(read.text);
    if (read.text === "*") break;
  }
  const text = `/${near.join("/")}`;
  return { exact: exact ? text : undefined, near: text };
}

/** A regular expression may hold slashes of its own. */
function segmentsOf(path: string): string[] {
  const segments: string[] = [];
  let from = path.startsWith("/") ? 1 : 0;
  for (let at = from, depth = 0; at <= path.length; at += 1) {
    const char = path[at];
    if (char === "\\") at += 1;
    else if (char === "(") depth += 1;
    else if (char === ")") depth -= 1;
    else if (at >= path.length || (char === "/" && depth <= 0)) {
      segments.push(path.slice(from, at));
      from = at + 1;
    }
  }
  return segments;
}

function readSegment(segment: string, index: number): { readonly text: string; readonly exact: boolean } {
  // `::` is a colon that begins no parameter.
  const single = segment.replaceAll("::", "");
  if (single.includes("*") && !single.includes(":")) return { text: "*", exact: segment === "*" };
  if (single.includes(":")) return { text: `:p${index}`, exact: /^:[^:().*-]+$/.test(segment) };
  const text = segment.replaceAll("::", ":");
  return text.startsWith(":") ? { text: `:p${index}`, exact: false } : { text, exact: true };
}
