/** Sanitizing HTML in a browser: DOMPurify, handed in by the page, on the page's own DOM. */
import { HtmlSanitizerError, type HtmlSanitizer, type PurifierFactory } from "../ports/html-sanitizer.js";
import { HtmlCleaner, type HtmlReader } from "./html-cleaner.js";
import { fail, prove } from "./html-proof.js";
import { purifierOf } from "./html-purifier.js";
import type { HtmlElementFacts, HtmlReading } from "./html-rules.js";

/** The part of a DOM that is used; no type of a browser's may be in the declarations. */
interface DomNode {
  readonly nodeType: number;
  readonly childNodes: ArrayLike<DomNode>;
  readonly content?: DomNode | string;
  readonly localName: string;
  readonly namespaceURI: string | null;
  readonly attributes: ArrayLike<{ readonly name: string; readonly value: string }>;
  innerHTML: string;
  data: string;
  removeAttribute(name: string): void;
}

export interface DomWindow {
  readonly DOMParser?: new () => {
    parseFromString(
      html: string,
      type: "text/html",
    ): { readonly body: DomNode; readonly documentElement: DomNode };
  };
}

const ELEMENT = 1;
const TEXT = 3;

/** @throws HtmlSanitizerError (rejects) */
export async function openPortableHtml(
  dompurify: PurifierFactory | undefined,
  window: DomWindow = globalThis as unknown as DomWindow,
): Promise<HtmlSanitizer> {
  if (window.DOMParser === undefined) {
    throw new HtmlSanitizerError(
      "missing-sanitizer",
      "sanitizing HTML needs a DOM, and there is none here",
      "sanitize in a page or on Node; `text` needs no DOM",
    );
  }
  if (dompurify === undefined) {
    throw new HtmlSanitizerError(
      "missing-sanitizer",
      "sanitizing HTML needs DOMPurify, which was not handed over",
      "`npm install dompurify`, and hand it to createEngine as `dompurify`",
    );
  }
  // An instance of our own: the page's must not get our hooks, nor we the page's.
  const instance = dompurify(window as never);
  if (!instance.isSupported) fail("DOMPurify does not support its DOM");
  const cleaner = new HtmlCleaner(domReader(window.DOMParser), purifierOf(instance));
  prove(cleaner);
  return {
    // A browser's own DOM is linear where jsdom's is not: nothing has to go elsewhere.
    clean: (texts, bounds) => cleaner.weighAndClean(texts, bounds),
    cleanHere: (texts, bounds) => cleaner.weighAndClean(texts, bounds),
    close: () => undefined,
  };
}

/** Documents of a parser of their own: nothing in them runs, and nothing is fetched. */
function domReader(Parser: NonNullable<DomWindow["DOMParser"]>): HtmlReader {
  const parse = (html: string) => new Parser().parseFromString(html, "text/html");
  return {
    weigh: (html, { maxNodes, maxDepth }) => {
      let nodes = 0;
      // What stands first may be put into the head, a template for one.
      let level = childrenOf(parse(html).documentElement).flatMap(childrenOf);
      for (let depth = 1; level.length > 0; depth++) {
        const elements = level.filter(({ nodeType }) => nodeType === ELEMENT);
        if (elements.length > 0 && depth > maxDepth) return "sanitize-depth";
        for (const node of level) nodes += 1 + (node.nodeType === ELEMENT ? node.attributes.length : 0);
        if (nodes > maxNodes) return "sanitize-nodes";
        level = elements.flatMap(childrenOf);
      }
      return nodes;
    },
    read: (html) => {
      // Not as a document: a parser drops blanks before its body.
      const { body } = parse("");
      body.innerHTML = html;
      const facts = factsOf(body);
      return { ...facts, html: body.innerHTML };
    },
  };
}

/** Of a template its content too; other elements have texts of that name. */
function childrenOf({ childNodes, content }: DomNode): readonly DomNode[] {
  const inside = typeof content === "object" ? Array.from(content.childNodes) : [];
  return [...Array.from(childNodes), ...inside];
}

function factsOf(root: DomNode): Omit<HtmlReading, "html"> {
  const elements: HtmlElementFacts[] = [];
  let others = 0;
  const open = [...childrenOf(root)];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.nodeType === ELEMENT) {
      tidy(node);
      elements.push({
        tag: node.localName,
        namespace: node.namespaceURI ?? "",
        attributes: Array.from(node.attributes, ({ name, value }) => [name, value] as const),
      });
      open.push(...childrenOf(node));
    } else if (node.nodeType !== TEXT) others += 1;
  }
  return { elements, others };
}

/** As the reader on Node: an emptied `is`, and line breaks at the head of a `pre`, of which each reading would lose one. */
function tidy(element: DomNode): void {
  if (Array.from(element.attributes).some(({ name, value }) => name === "is" && value === "")) {
    element.removeAttribute("is");
  }
  const first = element.localName === "pre" ? element.childNodes[0] : undefined;
  if (first?.nodeType === TEXT && first.data.startsWith("\n")) first.data = first.data.replace(/^\n+/u, "");
}
