/** What sanitizes HTML. Loaded while a policy that asks for it is compiled. */

/** A closed list of what may stay. Names are in lower case. */
export interface HtmlProfile {
  readonly tags: readonly string[];
  /** By element; `*` is every one of `tags`. */
  readonly attributes: Readonly<Record<string, readonly string[]>>;
  /** Without the colon; relative URLs always stay. */
  readonly schemes: readonly string[];
}

/** What is looked at before a DOM is built: building one costs the square of its depth. */
export interface HtmlBounds {
  /** Of each text, in UTF-16 code units. */
  readonly maxLength: number;
  readonly maxDepth: number;
  /** Elements, attributes, texts and comments of all texts together. */
  readonly maxNodes: number;
}

export interface HtmlText {
  readonly html: string;
  /** Applied one after the other. */
  readonly profiles: readonly HtmlProfile[];
}

/**
 * `sanitize-unstable`: what came of it would be read as something else, or holds what the profile does not name. Nothing
 * leaves then: it is what an attack on the sanitizer looks like.
 */
export type HtmlRule = "sanitize-length" | "sanitize-depth" | "sanitize-nodes" | "sanitize-unstable";

/** All of the texts, or none: where one is refused, nothing is done with the others. */
export type HtmlResult =
  | { readonly kind: "clean"; readonly texts: readonly string[] }
  | { readonly kind: "refused"; readonly refused: readonly HtmlProblem[] };

export interface HtmlProblem {
  /** Of the text. */
  readonly index: number;
  readonly rule: HtmlRule;
}

/** One engine's. A throw or rejection is a fault: nothing may be passed through then. */
export interface HtmlSanitizer {
  /** A promise only where the texts are too much for this thread. */
  clean(texts: readonly HtmlText[], bounds: HtmlBounds): HtmlResult | Promise<HtmlResult>;
  /** The same on this thread, whatever it costs. */
  cleanHere(texts: readonly HtmlText[], bounds: HtmlBounds): HtmlResult;
  close(): void | Promise<void>;
}

/** The part of DOMPurify that is used. */
export interface DomPurify {
  readonly isSupported: boolean;
  sanitize(html: string, config: object): unknown;
  addHook(
    at: "uponSanitizeAttribute",
    hook: (node: { readonly nodeName: string }, data: PurifiedAttribute) => void,
  ): void;
}

export interface PurifiedAttribute {
  readonly attrName: string;
  readonly attrValue: string;
  keepAttr: boolean;
}

/** What the package `dompurify` exports: makes an instance for a window, whose type differs from version to version. */
export type PurifierFactory = (window: never) => DomPurify;

/** Nothing on this platform can be trusted to sanitize HTML. */
export class HtmlSanitizerError extends Error {
  override readonly name = "HtmlSanitizerError";

  constructor(
    /** Of the diagnostic: there is none, or one that does not withstand the built-in attacks. */
    readonly code: "missing-sanitizer" | "untrusted-sanitizer",
    message: string,
    readonly help: string,
  ) {
    super(message);
  }
}
