/** Profiles by name: the language's own, and the document's. */
import type { PolicyDocument } from "../../model/policy.js";
import type { HtmlBounds, HtmlProfile } from "../../ports/html-sanitizer.js";

/** Tags are cut and nothing is HTML afterwards. */
export const TEXT = "text";

const SCHEMES: readonly string[] = ["http", "https", "mailto"];

/** What people write: formatting, lists, tables, links and pictures. No attribute that reaches beyond its element. */
const HTML: HtmlProfile = {
  tags: [
    "a", "abbr", "b", "blockquote", "br", "caption", "cite", "code", "col", "colgroup", "dd", "del", "details", "dfn", "div",
    "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li",
    "mark", "ol", "p", "pre", "q", "s", "samp", "small", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td",
    "tfoot", "th", "thead", "time", "tr", "u", "ul", "var", "wbr",
  ], // oxfmt-ignore
  attributes: {
    "*": ["dir", "lang", "title"],
    a: ["href"],
    blockquote: ["cite"],
    col: ["span"],
    colgroup: ["span"],
    del: ["cite", "datetime"],
    img: ["alt", "height", "src", "width"],
    ins: ["cite", "datetime"],
    li: ["value"],
    ol: ["reversed", "start", "type"],
    q: ["cite"],
    td: ["colspan", "rowspan"],
    th: ["abbr", "colspan", "rowspan", "scope"],
    time: ["datetime"],
  },
  schemes: SCHEMES,
};

/** HTML profiles, `html` included; `text` is none. */
export function htmlProfiles({ sanitizing }: PolicyDocument): ReadonlyMap<string, HtmlProfile> {
  const profiles = new Map<string, HtmlProfile>([["html", HTML]]);
  for (const [name, { tags, attributes, schemes }] of Object.entries(sanitizing?.profiles ?? {})) {
    profiles.set(name, { tags, attributes: attributes ?? {}, schemes: schemes ?? SCHEMES });
  }
  return profiles;
}

export interface SanitizingBounds extends HtmlBounds {
  /** Characters of the texts with markup in one answer. */
  readonly maxAnswer: number;
}

export function boundsOf({ sanitizing }: PolicyDocument): SanitizingBounds {
  return {
    maxLength: sanitizing?.maxLength ?? 50_000,
    maxDepth: sanitizing?.maxDepth ?? 256,
    maxNodes: sanitizing?.maxNodes ?? 5_000,
    maxAnswer: sanitizing?.maxAnswer ?? 20_000,
  };
}
