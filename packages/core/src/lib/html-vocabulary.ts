/** The HTML that cannot run code, by name: whoever lists elements and attributes chooses from these. */

/** Elements that render, and nothing else. */
export const TAGS: readonly string[] = [
  "a", "abbr", "address", "article", "aside", "audio", "b", "bdi", "bdo", "big", "blockquote", "br", "caption", "center",
  "cite", "code", "col", "colgroup", "data", "dd", "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure",
  "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "i", "img", "ins", "kbd", "li", "main", "mark",
  "nav", "ol", "p", "pre", "q", "rp", "rt", "ruby", "s", "samp", "section", "small", "source", "span", "strike", "strong",
  "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul", "var", "video",
  "wbr",
]; // oxfmt-ignore

/** Attributes whose value is a URL. */
export const URL_ATTRIBUTES: readonly string[] = ["cite", "href", "poster", "src"];

/** Attributes that say how something looks, or where it is found. */
export const ATTRIBUTES: readonly string[] = [
  "abbr", "align", "alt", "class", "colspan", "controls", "datetime", "dir", "height", "hreflang", "lang", "loading", "loop",
  "muted", "open", "preload", "rel", "reversed", "rowspan", "scope", "span", "start", "title", "translate", "type", "valign",
  "value", "width",
  ...URL_ATTRIBUTES,
]; // oxfmt-ignore

/** Why an element can never be let through. */
export const REFUSED_TAGS: ReadonlyMap<string, string> = new Map([
  ...reasons("it runs code", "script"),
  ...reasons("it brings another document", "iframe", "frame", "frameset", "object", "embed", "applet", "portal", "fencedframe"),
  ...reasons("it styles the whole page, and CSS can send what it finds there", "style", "link"),
  ...reasons("it speaks for the whole document", "base", "meta", "html", "head", "body", "title"),
  ...reasons("foreign content is read by other rules, which is how markup is smuggled", "svg", "math", "foreignobject", "annotation-xml"),
  ...reasons("its content is read in two ways", "noscript", "noembed", "noframes", "template", "xmp", "plaintext", "listing", "slot"),
  ...reasons(
    "it can send what a reader types", "form", "input", "button", "select", "option", "optgroup", "textarea", "datalist", "fieldset", "label", "legend", "output", "keygen",
  ),
]); // oxfmt-ignore

/** Why an attribute can never be let through. */
export const REFUSED_ATTRIBUTES: ReadonlyMap<string, string> = new Map([
  ...reasons("CSS can cover the page, and send what it finds there", "style"),
  ...reasons("it holds another document", "srcdoc"),
  ...reasons("a list of URLs is not judged", "srcset", "imagesrcset", "ping", "archive"),
  ...reasons("it sends what a reader types", "action", "formaction", "form"),
  ...reasons("names of elements shadow variables of scripts on the page", "id", "name"),
  ...reasons("it says how something else is read", "http-equiv", "is", "slot", "xmlns", "xlink:href", "background"),
]); // oxfmt-ignore

/** Schemes that run code or start programs, or whose content is whatever the sender put there. */
export const REFUSED_SCHEMES: ReadonlySet<string> = new Set([
  "about", "blob", "chrome", "data", "feed", "file", "filesystem", "intent", "jar", "javascript", "livescript", "mhtml", "mocha",
  "ms-msdt", "res", "search-ms", "vbscript", "view-source", "wyciwyg",
]); // oxfmt-ignore

function reasons(reason: string, ...names: readonly string[]): (readonly [string, string])[] {
  return names.map((name) => [name, reason] as const);
}

/** What URL parsers skip, and what only looks like nothing: none of it may hide a scheme. */
const INVISIBLE =
  /[\u0000-\u0020\u007f-\u00a0\u00ad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff]/gu;

/** Is the URL relative, or of one of these schemes (lower case, without the colon)? */
export function hasScheme(url: string, schemes: ReadonlySet<string>): boolean {
  const visible = url.replaceAll(INVISIBLE, "");
  const before = /^[^/?#\\]*?:/u.exec(visible)?.[0];
  return before === undefined || schemes.has(before.slice(0, -1).toLowerCase());
}

/** Without these nothing in a text means anything to a parser, and writing it again changes nothing. */
const MARKUP = /[<>&\r\u0000\u00a0]/u;

export function isPlain(html: string): boolean {
  return !MARKUP.test(html);
}
