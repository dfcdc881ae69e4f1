/** DOMPurify under a closed list. None of its options comes from a policy. */
import type { DomPurify } from "../ports/html-sanitizer.js";
import { attributeStays, HTML_NAMESPACE, type HtmlRules } from "./html-rules.js";

export type Purify = (html: string, rules: HtmlRules) => string;

/** @param dompurify an instance of nobody else's: hooks are its own */
export function purifierOf(dompurify: DomPurify): Purify {
  const configs = new WeakMap<HtmlRules, object>();
  let current: HtmlRules | undefined;
  // DOMPurify has one list of attributes for all elements, and lets `data:` through where we may not.
  dompurify.addHook("uponSanitizeAttribute", ({ nodeName }, data) => {
    data.keepAttr =
      current !== undefined && attributeStays(current, nodeName.toLowerCase(), data.attrName, data.attrValue);
  });
  return (html, rules) => {
    let config = configs.get(rules);
    if (config === undefined) configs.set(rules, (config = configOf(rules)));
    current = rules;
    const clean: unknown = dompurify.sanitize(html, config);
    if (typeof clean !== "string") throw new Error("the sanitizer answered with no text");
    return clean;
  };
}

/** Without a prototype: what a page or a dependency hung on `Object.prototype` is no option (CVE-2024-45801, CVE-2024-48910). */
function configOf(rules: HtmlRules): object {
  const attributes = [...rules.everywhere, ...[...rules.byTag.values()].flatMap((names) => [...names])];
  return Object.freeze(
    Object.assign(Object.create(null) as object, {
      ALLOWED_TAGS: [...rules.tags],
      ALLOWED_ATTR: [...new Set(attributes)],
      ALLOWED_NAMESPACES: [HTML_NAMESPACE],
      ALLOWED_URI_REGEXP: urlsOf(rules),
      ALLOW_ARIA_ATTR: false,
      ALLOW_DATA_ATTR: false,
      ALLOW_UNKNOWN_PROTOCOLS: false,
      CUSTOM_ELEMENT_HANDLING: Object.create(null) as object,
      IN_PLACE: false,
      KEEP_CONTENT: true,
      RETURN_DOM: false,
      RETURN_DOM_FRAGMENT: false,
      RETURN_TRUSTED_TYPE: false,
      SAFE_FOR_XML: true,
      SANITIZE_DOM: true,
      USE_PROFILES: false,
      WHOLE_DOCUMENT: false,
    }),
  );
}

/** In the form that DOMPurify's own has: one of the schemes, or none. */
function urlsOf({ schemes }: HtmlRules): RegExp {
  const listed = [...schemes].map((scheme) => `${scheme.replaceAll(/[+.-]/gu, "\\$&")}:`);
  return new RegExp(`^(?:${[...listed, "[^a-z]", "[a-z+.\\-]+(?:[^a-z+.\\-:]|$)"].join("|")})`, "i");
}
