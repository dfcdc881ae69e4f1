/** Reads markup with parse5, jsdom's own parser, without a DOM: linear where building one is not. */
import type { HtmlBounds, HtmlRule } from "../ports/html-sanitizer.js";
import type { HtmlReader } from "./html-cleaner.js";
import { HTML_NAMESPACE, type HtmlElementFacts, type HtmlReading } from "./html-rules.js";

/** A node as parse5's default tree has them. */
export interface Parse5Node {
  readonly nodeName: string;
  readonly tagName?: string;
  readonly namespaceURI?: string;
  attrs?: readonly { readonly name: string; readonly value: string; readonly prefix?: string }[];
  readonly childNodes?: Parse5Node[];
  readonly content?: Parse5Node;
  value?: string;
}

interface TreeAdapter {
  createElement(tag: string, namespace: string, attributes: NonNullable<Parse5Node["attrs"]>): Parse5Node;
  createCommentNode(data: string): Parse5Node;
  insertText(parent: Parse5Node, text: string): void;
  insertTextBefore(parent: Parse5Node, text: string, before: Parse5Node): void;
  onItemPush?(item: Parse5Node): void;
  onItemPop?(item: Parse5Node): void;
}

interface ParseOptions {
  readonly treeAdapter?: TreeAdapter;
  readonly scriptingEnabled: false;
}

/** The part of parse5 that is used. */
export interface Parse5 {
  parse(html: string, options: ParseOptions): Parse5Node;
  parseFragment(context: Parse5Node, html: string, options: ParseOptions): Parse5Node;
  serialize(node: Parse5Node, options: { readonly scriptingEnabled: false }): string;
  readonly defaultTreeAdapter: TreeAdapter;
}

/** As jsdom's DOMParser does: a page with scripts would read `noscript` as text. */
const QUIET = { scriptingEnabled: false } as const;

/** `html` and `body` are around every text. */
const AROUND = 2;

/** Ends a parse: a text may make millions of nodes out of a few kilobytes. */
class TooMuch extends Error {
  constructor(readonly rule: HtmlRule) {
    super(rule);
  }
}

export function parse5Reader(parse5: Parse5): HtmlReader {
  const context = parse5.defaultTreeAdapter.createElement("div", HTML_NAMESPACE, []);
  return {
    weigh: (html, bounds) => {
      const counter = new Counter(bounds, parse5.defaultTreeAdapter);
      try {
        const document = parse5.parse(html, { ...QUIET, treeAdapter: counter.adapter });
        // What was taken out of the middle of the open elements stays in the tree: it can be deeper than they ever were.
        return deeperThan(document, bounds.maxDepth + AROUND) ? "sanitize-depth" : counter.nodes;
      } catch (error) {
        if (error instanceof TooMuch) return error.rule;
        throw error;
      }
    },
    read: (html) => {
      const tree = parse5.parseFragment(context, html, QUIET);
      const reading = factsOf(tree);
      return { ...reading, html: parse5.serialize(tree, QUIET) };
    },
  };
}

class Counter {
  readonly adapter: TreeAdapter;
  nodes = 0;
  #open = 0;

  constructor(bounds: HtmlBounds, own: TreeAdapter) {
    const add = (nodes: number): void => {
      this.nodes += nodes;
      if (this.nodes > bounds.maxNodes) throw new TooMuch("sanitize-nodes");
    };
    this.adapter = {
      ...own,
      createElement: (tag, namespace, attributes) => {
        add(1 + attributes.length);
        return own.createElement(tag, namespace, attributes);
      },
      createCommentNode: (data) => {
        add(1);
        return own.createCommentNode(data);
      },
      insertText: (parent, text) => {
        const before = parent.childNodes?.length;
        own.insertText(parent, text);
        // Words of one text come one by one.
        if (parent.childNodes?.length !== before) add(1);
      },
      insertTextBefore: (parent, text, before) => {
        add(1);
        own.insertTextBefore(parent, text, before);
      },
      onItemPush: () => {
        this.#open += 1;
        if (this.#open > bounds.maxDepth + AROUND) throw new TooMuch("sanitize-depth");
      },
      onItemPop: () => {
        this.#open -= 1;
      },
    };
    // `html`, `head` and `body` are in every document.
    this.nodes = -3;
  }
}

function childrenOf({ childNodes = [], content }: Parse5Node): readonly Parse5Node[] {
  return content === undefined ? childNodes : [...childNodes, content];
}

/** A list in place of recursion: what is measured here is how deep it is. */
function deeperThan(root: Parse5Node, most: number): boolean {
  let level = childrenOf(root).filter(isElement);
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > most) return true;
    level = level.flatMap(childrenOf).filter((node) => isElement(node) || node.childNodes !== undefined);
  }
  return false;
}

function isElement({ tagName }: Parse5Node): boolean {
  return tagName !== undefined;
}

function factsOf(tree: Parse5Node): Omit<HtmlReading, "html"> {
  const elements: HtmlElementFacts[] = [];
  let others = 0;
  const open = [...childrenOf(tree)];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.tagName !== undefined) {
      dropEmptyIs(node);
      elements.push({
        tag: node.tagName,
        namespace: node.namespaceURI ?? "",
        attributes: (node.attrs ?? []).map(({ name, prefix, value }) => [
          prefix ? `${prefix}:${name}` : name,
          value,
        ]),
      });
      if (node.tagName === "pre") dropLeadingBreaks(node);
      open.push(...childrenOf(node));
    } else if (node.childNodes !== undefined) open.push(...node.childNodes);
    else if (node.nodeName !== "#text") others += 1;
  }
  return { elements, others };
}

/** DOMPurify empties this one where it takes out others: a browser could not. */
function dropEmptyIs(node: Parse5Node): void {
  if (node.attrs?.some(isEmptyIs) === true)
    node.attrs = node.attrs.filter((attribute) => !isEmptyIs(attribute));
}

function isEmptyIs({ name, value }: { readonly name: string; readonly value: string }): boolean {
  return name === "is" && value === "";
}

/** A parser drops the first line break of a `pre`, a writer does not put it back: with several each reading would lose one. */
function dropLeadingBreaks({ childNodes = [] }: Parse5Node): void {
  const [first] = childNodes;
  if (first?.value?.startsWith("\n") === true) first.value = first.value.replace(/^\n+/u, "");
}
