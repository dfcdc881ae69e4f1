/** jsdom, its parser, and DOMPurify: optional peers, found from where this package stands, loaded when a policy asks. */
import { createRequire } from "node:module";
import { HtmlSanitizerError, type PurifierFactory } from "../ports/html-sanitizer.js";
import { HtmlCleaner } from "./html-cleaner.js";
import { fail, prove } from "./html-proof.js";
import { type Purify, purifierOf } from "./html-purifier.js";
import { type Parse5, parse5Reader } from "./node-html-reader.js";

interface Jsdom {
  readonly JSDOM: new (
    html: string,
    options: { readonly virtualConsole: object },
  ) => { readonly window: object };
  readonly VirtualConsole: new () => object;
}

/** What is loaded; tests hand in others to see them refused. */
export interface HtmlPeers {
  readonly jsdom: Jsdom;
  /** Undefined: not told. */
  readonly jsdomVersion: string | undefined;
  readonly parse5: Parse5;
  readonly dompurify: PurifierFactory;
}

/** The first whose parser is parse5 as the HTML standard has it (DOMPurify's README). */
const OLDEST_JSDOM = 20;

/**
 * @param from URL or path of a module beside which the peers are installed
 * @throws HtmlSanitizerError
 */
export function loadPeers(from: string): HtmlPeers {
  const require = createRequire(from);
  const missing: string[] = [];
  const load = (name: string): unknown => {
    try {
      require.resolve(name);
    } catch {
      missing.push(name);
      return undefined;
    }
    return require(name) as unknown;
  };
  const jsdom = load("jsdom");
  const dompurify = load("dompurify");
  if (missing.length > 0) {
    const names = missing.map((name) => `\`${name}\``).join(" and ");
    throw new HtmlSanitizerError(
      "missing-sanitizer",
      `sanitizing HTML needs ${names}, which ${missing.length === 1 ? "is" : "are"} not installed`,
      "`npm install jsdom dompurify`",
    );
  }
  // Found by jsdom's own way, not by ours: where packages see nothing but what they declare, it is jsdom's to see.
  const ofJsdom = createRequire(require.resolve("jsdom"));
  return {
    jsdom: jsdom as Jsdom,
    jsdomVersion: versionOf(require),
    parse5: ofJsdom("parse5") as Parse5,
    dompurify: dompurify as PurifierFactory,
  };
}

function versionOf(require: NodeJS.Require): string | undefined {
  try {
    return (require("jsdom/package.json") as { readonly version?: string }).version;
  } catch {
    return undefined;
  }
}

/** @throws HtmlSanitizerError where the peers do not withstand the built-in attacks */
export function cleanerFor(peers: HtmlPeers): HtmlCleaner {
  const version = peers.jsdomVersion ?? "";
  // What is not told is left to the attacks.
  if (Number.parseInt(version, 10) < OLDEST_JSDOM) fail(`jsdom ${version} is older than ${OLDEST_JSDOM}`);
  const cleaner = new HtmlCleaner(parse5Reader(peers.parse5), purifierIn(peers));
  prove(cleaner);
  return cleaner;
}

/**
 * Scripts never run and resources are never loaded: neither `runScripts` nor `resources` is given. One window does for all:
 * every text gets a document of its own, and nothing of it stays.
 */
function purifierIn({ jsdom, dompurify }: HtmlPeers): Purify {
  // A console of its own, that nobody listens to: what jsdom says of hostile CSS is no news.
  const { window } = new jsdom.JSDOM("", { virtualConsole: new jsdom.VirtualConsole() });
  const instance = dompurify(window as never);
  if (!instance.isSupported) fail("DOMPurify does not support its DOM");
  return purifierOf(instance);
}
