/**
 * Reads the keys of `routes` (`GET|HEAD /orders/:id`) and of `groups` (`/admin`).
 * A key that no request could ever match is refused here: it would be a rule that protects nothing.
 */
import type { PatternPart } from "../model/resolved.js";

export interface RouteKey {
  readonly methods: readonly string[];
  readonly anyMethod: boolean;
  readonly path: string;
  readonly pattern: readonly PatternPart[];
}

/** Why a key cannot stand, and how to mend it. */
export interface KeyProblem {
  readonly problem: string;
  readonly help: string;
}

/** What `*` in place of a method stands for. OPTIONS is left out: it is CORS's, unless a route names it. */
const ANY_METHOD: readonly string[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/** The engine answers these itself, always with 405: TRACE echoes credentials, CONNECT is a tunnel. */
const NEVER_ROUTED: ReadonlySet<string> = new Set(["TRACE", "CONNECT"]);

const PARAMETER_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/u;
const POISONOUS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

export function isKeyProblem(result: object): result is KeyProblem {
  return "problem" in result;
}

export function parseRouteKey(key: string): RouteKey | KeyProblem {
  const space = key.indexOf(" ");
  if (space < 1) {
    return {
      problem: `route key \`${key}\` is not of the form \`METHOD /path\``,
      help: "write the method, one blank and the path, as in `GET /orders/:id`",
    };
  }
  const path = key.slice(space + 1);
  const methods = parseMethods(key.slice(0, space));
  if (isKeyProblem(methods)) return methods;
  const pattern = parsePath(path);
  return isKeyProblem(pattern) ? pattern : { ...methods, path, pattern };
}

function parseMethods(text: string): { methods: readonly string[]; anyMethod: boolean } | KeyProblem {
  if (text === "*") return { methods: ANY_METHOD, anyMethod: true };
  const methods = text.split("|");
  const seen = new Set<string>();
  for (const method of methods) {
    const problem = methodProblem(method);
    if (problem !== undefined) return problem;
    if (seen.has(method)) {
      return { problem: `method \`${method}\` is named twice`, help: "name each method once" };
    }
    seen.add(method);
  }
  return { methods: [...seen].toSorted(), anyMethod: false };
}

function methodProblem(method: string): KeyProblem | undefined {
  if (method === "*") {
    return {
      problem: "`*` cannot be joined with other methods",
      help: "write `*` alone, or name the methods",
    };
  }
  if (NEVER_ROUTED.has(method)) {
    return {
      problem: `method \`${method}\` is never routed`,
      help: "the engine answers TRACE and CONNECT with 405 by itself; leave it out",
    };
  }
  if (/^[A-Z][A-Z0-9-]{0,31}$/u.test(method)) return undefined;
  const upper = method.toUpperCase();
  return {
    problem: `\`${method}\` is no method name`,
    help: /^[A-Z][A-Z0-9-]{0,31}$/u.test(upper)
      ? `methods are case-sensitive; did you mean \`${upper}\`?`
      : "join methods with `|`, as in `GET|HEAD`",
  };
}

/** `/` is one empty segment and `/a/` ends in one, as in the request's own segments. */
function parsePath(path: string): readonly PatternPart[] | KeyProblem {
  if (!path.startsWith("/")) {
    return {
      problem: `path \`${path}\` does not begin with \`/\``,
      help: "write the path from its first slash",
    };
  }
  const unmatchable = unmatchablePath(path);
  if (unmatchable !== undefined) return unmatchable;
  const segments = path.slice(1).split("/");
  const parts: PatternPart[] = [];
  const names = new Set<string>();
  for (const [index, segment] of segments.entries()) {
    const part = parseSegment(segment, index === segments.length - 1);
    if (isKeyProblem(part)) return part;
    if (part.kind === "param") {
      if (names.has(part.name)) {
        return {
          problem: `parameter \`:${part.name}\` is named twice`,
          help: "give each parameter its own name",
        };
      }
      names.add(part.name);
    }
    parts.push(part);
  }
  return parts;
}

/** Paths that normalization refuses, or that no decoded path can equal, whatever stands around them. */
function unmatchablePath(path: string): KeyProblem | undefined {
  const help = "no request path can match it; see the rules for paths";
  if (/[?#]/u.test(path)) {
    return {
      problem: `path \`${path}\` has a query or a fragment`,
      help: "describe query parameters under `request.query`",
    };
  }
  if (path.includes("%")) {
    return {
      problem: `path \`${path}\` is percent-encoded`,
      help: "write the character itself: paths are compared decoded",
    };
  }
  if (path.includes("//")) return { problem: `path \`${path}\` has an empty segment`, help };
  if (/[;\\\s\u0000-\u001F\u007F]|\p{Surrogate}/u.test(path)) {
    return { problem: `path \`${path}\` has a character that no request path may have`, help };
  }
  return undefined;
}

function parseSegment(segment: string, last: boolean): PatternPart | KeyProblem {
  if (segment === "*") {
    if (last) return { kind: "rest" };
    return {
      problem: "`*` stands before the end of the path",
      help: "`*` may only be the last segment; use `:name` for one segment",
    };
  }
  if (segment === "." || segment === "..") {
    return {
      problem: `path has a \`${segment}\` segment`,
      help: "no request path can match it: such paths are refused",
    };
  }
  if (segment.startsWith(":")) return parseParameter(segment.slice(1));
  if (segment.includes("*")) {
    return {
      problem: `segment \`${segment}\` mixes \`*\` with text`,
      help: "`*` and `:name` stand for whole segments",
    };
  }
  return { kind: "static", text: segment };
}

function parseParameter(name: string): PatternPart | KeyProblem {
  if (POISONOUS.has(name)) {
    return {
      problem: `parameter \`:${name}\` would reach into an object's prototype`,
      help: "choose another name",
    };
  }
  if (PARAMETER_NAME.test(name)) return { kind: "param", name };
  return {
    problem: `\`:${name}\` is no parameter name`,
    help: "a parameter is one whole segment: `:` and a name of letters, digits and `_`",
  };
}

/** A group's prefix: `/` covers everything and has no segments. */
export function parsePrefix(prefix: string): readonly PatternPart[] | KeyProblem {
  if (prefix === "/") return [];
  if (prefix.endsWith("/")) {
    return {
      problem: `group prefix \`${prefix}\` ends with a slash`,
      help: `write \`${prefix.replace(/\/+$/u, "") || "/"}\`: it covers the prefix itself and all below it`,
    };
  }
  const parts = parsePath(prefix);
  if (isKeyProblem(parts)) return parts;
  if (parts.some((part) => part.kind === "rest")) {
    return {
      problem: `group prefix \`${prefix}\` ends with \`*\``,
      help: "a group covers all below its prefix: leave `/*` out",
    };
  }
  return parts;
}

/** True where a pattern begins with a prefix on a segment boundary; names of parameters do not matter. */
export function standsIn(pattern: readonly PatternPart[], prefix: readonly PatternPart[]): boolean {
  return prefix.length <= pattern.length && prefix.every((part, index) => samePart(part, pattern[index]));
}

function samePart(a: PatternPart, b: PatternPart | undefined): boolean {
  if (b === undefined || a.kind !== b.kind) return false;
  return a.kind !== "static" || (b.kind === "static" && a.text === b.text);
}
