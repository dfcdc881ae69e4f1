/** Reads paths of routes and prefixes of groups. What no request path could ever equal is refused. */
import type { PatternPart } from "../model/resolved.js";
import { quote } from "./words.js";

/** Why a key cannot stand, and how to mend it. */
export interface KeyProblem {
  readonly problem: string;
  readonly help: string;
}

export function isKeyProblem(result: object): result is KeyProblem {
  return "problem" in result;
}

const PARAMETER_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/u;
const POISONOUS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** `/` is one empty segment and `/a/` ends in one, as in the request's own segments. */
export function parsePath(path: string): readonly PatternPart[] | KeyProblem {
  if (!path.startsWith("/")) {
    return {
      problem: `path ${quote(path)} does not begin with \`/\``,
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
          problem: `parameter ${quote(`:${part.name}`)} is named twice`,
          help: "give each parameter its own name",
        };
      }
      names.add(part.name);
    }
    parts.push(part);
  }
  return parts;
}

/** Nearly every path, so that one look is enough. */
const PLAIN_PATH = /^\/(?:[\w.:*~-]+(?:\/[\w.:*~-]+)*)?$/u;

/** Paths that normalization refuses, or that no decoded path can equal, whatever stands around them. */
function unmatchablePath(path: string): KeyProblem | undefined {
  if (PLAIN_PATH.test(path)) return undefined;
  const help = "no request path can match it; see the rules for paths";
  if (/[?#]/u.test(path)) {
    return {
      problem: `path ${quote(path)} has a query or a fragment`,
      help: "describe query parameters under `request.query`",
    };
  }
  if (path.includes("%")) {
    return {
      problem: `path ${quote(path)} is percent-encoded`,
      help: "write the character itself: paths are compared decoded",
    };
  }
  if (path.includes("//")) return { problem: `path ${quote(path)} has an empty segment`, help };
  // A blank inside a segment comes as `%20`; at an edge it is a slip of the author's.
  if (/[;\\\u0000-\u001F\u007F]|[^\S ]| (?:\/|$)|\/ |\p{Surrogate}/u.test(path)) {
    return { problem: `path ${quote(path)} has a character that no request path may have`, help };
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
      problem: `path has a ${quote(segment)} segment`,
      help: "no request path can match it: such paths are refused",
    };
  }
  if (segment.startsWith(":")) return parseParameter(segment.slice(1));
  if (segment.includes("*")) {
    return {
      problem: `segment ${quote(segment)} mixes \`*\` with text`,
      help: "`*` and `:name` stand for whole segments",
    };
  }
  return { kind: "static", text: segment };
}

function parseParameter(name: string): PatternPart | KeyProblem {
  if (POISONOUS.has(name)) {
    return {
      problem: `parameter ${quote(`:${name}`)} would reach into an object's prototype`,
      help: "choose another name",
    };
  }
  if (PARAMETER_NAME.test(name)) return { kind: "param", name };
  return {
    problem: `${quote(`:${name}`)} is no parameter name`,
    help: "a parameter is one whole segment: `:` and a name of letters, digits and `_`",
  };
}

/** A group's prefix: `/` covers everything and has no segments. */
export function parsePrefix(prefix: string): readonly PatternPart[] | KeyProblem {
  if (prefix === "/") return [];
  if (prefix.endsWith("/")) {
    return {
      problem: `group prefix ${quote(prefix)} ends with a slash`,
      help: `write \`${prefix.replace(/\/+$/u, "") || "/"}\`: it covers the prefix itself and all below it`,
    };
  }
  const parts = parsePath(prefix);
  if (isKeyProblem(parts)) return parts;
  if (parts.some((part) => part.kind === "rest")) {
    return {
      problem: `group prefix ${quote(prefix)} ends with \`*\``,
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
