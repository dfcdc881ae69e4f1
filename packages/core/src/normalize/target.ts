/** The request target in its forms (RFC 9112 section 3.2), split once. No URL parser is ever given one: `//x` would become a host. */
import type { Refusal } from "../model/outcome.js";
import { parseAuthority } from "./host.js";
import type { Authority } from "./host.js";
import { readSegments } from "./path.js";
import { refusal } from "./refusals.js";

const TOO_LONG = refusal("target-too-long", "the request target is too long");
const ASTERISK = refusal("ambiguous-path", "the target `*` belongs to OPTIONS alone");
const AUTHORITY_FORM = refusal("ambiguous-path", "the target is no path");
const BAD_AUTHORITY = refusal("ambiguous-path", "the authority of the target is no host name");
const FRAGMENT = refusal("ambiguous-path", "the target has a fragment");
const BAD_QUERY = refusal(
  "malformed-query",
  "the query has a blank, a control character or one beyond ASCII",
);
const NUL_QUERY = refusal("malformed-query", "the query has an encoded NUL");

const ABSOLUTE = /^https?:\/\//i;

/** Reads targets one after the other; the object is kept and refilled. */
export class TargetReader {
  /** As sent, without query. */
  path = "/";
  /** Decoded; empty for `*`, which no route matches. */
  segments: string[] = [];
  queryText = "";
  /** Of an absolute-form target. */
  authority: Authority | undefined;

  constructor(private readonly maxLength: number) {}

  read(method: string, target: string): Refusal | undefined {
    if (target.length > this.maxLength) return TOO_LONG;
    this.authority = undefined;
    if (target.charCodeAt(0) === 47) return this.readOrigin(target);
    if (target === "*") {
      if (method !== "OPTIONS") return ASTERISK;
      this.path = target;
      this.segments = [];
      this.queryText = "";
      return undefined;
    }
    return this.readAbsolute(target);
  }

  private readOrigin(target: string): Refusal | undefined {
    const mark = target.indexOf("?");
    const path = mark < 0 ? target : target.slice(0, mark);
    const segments: string[] = [];
    const problem = readSegments(path, segments) ?? queryProblem(target, path.length + 1);
    if (problem !== undefined) return problem;
    this.path = path;
    this.segments = segments;
    this.queryText = mark < 0 ? "" : target.slice(mark + 1);
    return undefined;
  }

  private readAbsolute(target: string): Refusal | undefined {
    const scheme = ABSOLUTE.exec(target);
    if (scheme === null) return AUTHORITY_FORM;
    const start = scheme[0].length;
    const end = authorityEnd(target, start);
    this.authority = parseAuthority(target.slice(start, end));
    if (this.authority === undefined) return BAD_AUTHORITY;
    const rest = target.slice(end);
    return this.readOrigin(rest.startsWith("/") ? rest : `/${rest}`);
  }
}

/** At the first `/`, `?` or `#`, as in RFC 3986 section 3.2; a `\` ends nothing here and is refused by the host name. */
function authorityEnd(target: string, start: number): number {
  for (let i = start; i < target.length; i += 1) {
    const code = target.charCodeAt(i);
    if (code === 47 || code === 63 || code === 35) return i;
  }
  return target.length;
}

function queryProblem(target: string, start: number): Refusal | undefined {
  for (let i = start; i < target.length; i += 1) {
    const code = target.charCodeAt(i);
    if (code <= 32 || code >= 127) return BAD_QUERY;
    if (code === 35) return FRAGMENT;
    // 37 is `%`, 48 is `0`: a NUL ends the text for whatever is written in C behind us.
    if (code === 37 && target.charCodeAt(i + 1) === 48 && target.charCodeAt(i + 2) === 48) return NUL_QUERY;
  }
  return undefined;
}
