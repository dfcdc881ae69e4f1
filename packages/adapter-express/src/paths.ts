/** Paths as express 5 and 4 write them, in the policy's notation: `/orders/:id`, `/files/*`. */

/**
 * All the patterns that a path stands for; undefined where the policy's notation cannot say it: a regular expression, a part of a
 * segment. Names are of no matter to a comparison, and may repeat where routers are nested: parameters are numbered.
 */
export function patternsOf(path: unknown, express4: boolean): readonly string[] | undefined {
  if (typeof path !== "string") return undefined;
  const whole = path.startsWith("/") || path === "" || (express4 && path === "*") ? path : `/${path}`;
  return express4 ? patterns4(whole) : patterns5(whole);
}

/** A mount path, which may be the root, before a route's. */
export function joined(mount: string, path: string): string {
  const base = mount.endsWith("/") ? mount.slice(0, -1) : mount;
  const whole = path === "/" && base !== "" ? base : base + path;
  let count = 0;
  return whole.replace(/\/:p\d*(?=\/|$)/gu, () => `/:p${(count += 1)}`);
}

const PARAMETER = ":p";

/** path-to-regexp 8: `:name`, `*name`, `{optional}`, `\` before a character that means itself. */
function patterns5(path: string): readonly string[] | undefined {
  const whole = expanded(path);
  if (whole === undefined) return undefined;
  return all(whole, (one) => segments(one, segment5));
}

/** With and without each part in braces. */
function expanded(path: string): readonly string[] | undefined {
  const open = find(path, "{");
  if (open < 0) return [path];
  let depth = 0;
  for (let at = open; at < path.length; at += 1) {
    if (path[at] === "\\") at += 1;
    else if (path[at] === "{") depth += 1;
    else if (path[at] === "}" && (depth -= 1) === 0) {
      const [before, inner, after] = [path.slice(0, open), path.slice(open + 1, at), path.slice(at + 1)];
      const without = expanded(before + after);
      const within = expanded(before + inner + after);
      return without === undefined || within === undefined ? undefined : [...without, ...within];
    }
  }
  return undefined;
}

function find(path: string, character: string): number {
  for (let at = 0; at < path.length; at += 1) {
    if (path[at] === "\\") at += 1;
    else if (path[at] === character) return at;
  }
  return -1;
}

const NAME5 = /^(?:[\p{ID_Start}$_][\p{ID_Continue}$]*|"(?:[^"\\]|\\.)+")$/u;

function segment5(segment: string, last: boolean): string | undefined {
  if (segment.startsWith(":")) return NAME5.test(segment.slice(1)) ? PARAMETER : undefined;
  if (segment.startsWith("*")) return last && NAME5.test(segment.slice(1)) ? "*" : undefined;
  if (find(segment, ":") >= 0 || find(segment, "*") >= 0) return undefined;
  return text(segment.replace(/\\(.)/gu, "$1"));
}

/** path-to-regexp 0.1: `:name`, `:name(digits)`, `:name?`, `*`. */
function patterns4(path: string): readonly string[] | undefined {
  if (path === "*" || path === "/*") return ["/", "/*"];
  const optional = /\/:[A-Za-z0-9_]+(?:\([^()]*\))?\?(?=\/|$)/u.exec(path);
  if (optional !== null) {
    const { 0: found, index } = optional;
    const rest = path.slice(index + found.length);
    const without = patterns4(path.slice(0, index) + rest || "/");
    const within = patterns4(path.slice(0, index) + found.slice(0, -1) + rest);
    return without === undefined || within === undefined ? undefined : [...without, ...within];
  }
  return all([path], (one) => segments(one, segment4));
}

function segment4(segment: string, last: boolean): string | undefined {
  // A pattern in parentheses takes fewer requests than the parameter alone: the others reach no handler.
  if (/^:[A-Za-z0-9_]+(?:\([^()]*\))?$/u.test(segment)) return PARAMETER;
  if (segment === "*") return last ? "*" : undefined;
  return /[:*+?()[\]|\\]/u.test(segment) ? undefined : text(segment);
}

function segments(
  path: string,
  read: (segment: string, last: boolean) => string | undefined,
): string | undefined {
  if (path === "") return "/";
  const parts = path.slice(1).split("/");
  const found = all(parts, (part, index) => read(part, index === parts.length - 1));
  return found === undefined ? undefined : `/${found.join("/")}`;
}

/** Express compares static text as it stands in the target; policies write it decoded. */
function text(segment: string): string | undefined {
  try {
    const decoded = decodeURIComponent(segment);
    return /^[:*]|[%/]/u.test(decoded) ? undefined : decoded;
  } catch {
    return undefined;
  }
}

/** Undefined where one is. */
function all<In, Out>(
  list: readonly In[],
  map: (one: In, index: number) => Out | undefined,
): Out[] | undefined {
  const found: Out[] = [];
  for (const [index, one] of list.entries()) {
    const mapped = map(one, index);
    if (mapped === undefined) return undefined;
    found.push(mapped);
  }
  return found;
}
