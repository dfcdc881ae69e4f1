/**
 * Reads the keys of `routes`: `GET|HEAD /orders/:id`.
 * A key that no request could ever match is refused here: it would be a rule that protects nothing.
 */
import type { PatternPart } from "../model/resolved.js";
import { isKeyProblem, type KeyProblem, parsePath } from "./path-pattern.js";
import { quote } from "./words.js";

export interface RouteKey {
  readonly methods: readonly string[];
  readonly anyMethod: boolean;
  readonly path: string;
  readonly pattern: readonly PatternPart[];
}

/** What `*` in place of a method stands for. OPTIONS is left out: it is CORS's, unless a route names it. */
const ANY_METHOD: readonly string[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/** The engine answers these itself, always with 405: TRACE echoes credentials, CONNECT is a tunnel. */
const NEVER_ROUTED: ReadonlySet<string> = new Set(["TRACE", "CONNECT"]);

export function parseRouteKey(key: string): RouteKey | KeyProblem {
  const space = key.indexOf(" ");
  if (space < 1) {
    return {
      problem: `route key ${quote(key)} is not of the form \`METHOD /path\``,
      help: "write the method, one blank and the path, as in `GET /orders/:id`",
    };
  }
  const path = key.slice(space + 1);
  const methods = parseMethods(key.slice(0, space));
  if (isKeyProblem(methods)) return methods;
  const pattern = parsePath(path);
  return isKeyProblem(pattern) ? pattern : { ...methods, path, pattern };
}

interface Methods {
  readonly methods: readonly string[];
  readonly anyMethod: boolean;
}

const ALONE: ReadonlyMap<string, Methods> = new Map(
  ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"].map((method) => [
    method,
    Object.freeze({ methods: Object.freeze([method]), anyMethod: false }),
  ]),
);

function parseMethods(text: string): Methods | KeyProblem {
  const alone = ALONE.get(text);
  if (alone !== undefined) return alone;
  if (text === "*") return { methods: ANY_METHOD, anyMethod: true };
  const methods = text.split("|");
  const seen = new Set<string>();
  for (const method of methods) {
    const problem = methodProblem(method);
    if (problem !== undefined) return problem;
    if (seen.has(method)) {
      return { problem: `method ${quote(method)} is named twice`, help: "name each method once" };
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
      problem: `method ${quote(method)} is never routed`,
      help: "the engine answers TRACE and CONNECT with 405 by itself; leave it out",
    };
  }
  if (/^[A-Z][A-Z0-9-]{0,31}$/u.test(method)) return undefined;
  const upper = method.toUpperCase();
  return {
    problem: `${quote(method)} is no method name`,
    help: /^[A-Z][A-Z0-9-]{0,31}$/u.test(upper)
      ? `methods are case-sensitive; did you mean \`${upper}\`?`
      : "join methods with `|`, as in `GET|HEAD`",
  };
}
