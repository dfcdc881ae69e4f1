import { runInNewContext } from "node:vm";
import { setFlagsFromString } from "node:v8";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HtmlBounds, HtmlProfile, HtmlSanitizer } from "../ports/html-sanitizer.js";
import { ATTACKS, HARMLESS } from "./html-attacks.js";
import { HtmlCleaner } from "./html-cleaner.js";
import { WIDEST } from "./html-proof.js";
import { isWithin, rulesOf } from "./html-rules.js";
import { parse5Reader } from "./node-html-reader.js";
import { cleanerFor, type HtmlPeers, loadPeers } from "./node-html-realm.js";
import { openNodeHtml, sanitizerWith } from "./node-html.js";

const BOUNDS: HtmlBounds = { maxLength: 200_000, maxDepth: 256, maxNodes: 5_000 };
const NARROW: HtmlProfile = { tags: ["b", "p"], attributes: {}, schemes: [] };

let peers: HtmlPeers;
let cleaner: HtmlCleaner;
let sanitizer: HtmlSanitizer;

beforeAll(async () => {
  peers = loadPeers(import.meta.url);
  cleaner = cleanerFor(peers);
  sanitizer = await openNodeHtml();
});
afterAll(() => sanitizer.close());

const clean = (html: string, profile = WIDEST): string => {
  const result = cleaner.weighAndClean([{ html, profiles: [profile] }], BOUNDS);
  return result.kind === "clean" ? (result.texts[0] ?? "") : result.refused.map(({ rule }) => rule).join();
};

/** Pieces that parsers, sanitizers and serializers have disagreed about. */
const markup = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "<", ">", "</", "/>", "<!--", "-->", "--!>", "<![CDATA[", "]]>", "<?", "&lt;", "&amp;", "&#0;", "\0", "\r\n", "\u00a0", " ", "\"",
        "'", "=", "x", "<p>", "</p>", "<b>", "<a href=javascript:alert(1)>", "<a href=//x>", "<img src=x onerror=alert(1)>", "<svg>", "</svg>", "<math>",
        "<mtext>", "<mglyph>", "<style>", "</style>", "<title>", "<textarea>", "<noscript>", "<template>", "</template>", "<form>", "<table>", "<tr>",
        "<td>", "<select>", "<option>", "<pre>\n", "\n", "<iframe>", "<foreignObject>", "<desc>", "<br>", "</br>", "<li>", "<plaintext>", "<x-y is=z>", " id=a", " style=b",
      ), // oxfmt-ignore
      fc.constantFrom(...ATTACKS.map(([, html]) => html)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

describe("what is left of HTML", () => {
  it.each(ATTACKS)("of the attack `%s` is within the widest profile", (_name, html) => {
    const reading = parse5Reader(peers.parse5).read(clean(html));
    expect(isWithin(reading, rulesOf(WIDEST))).toBe(true);
    expect(reading.html).toBe(clean(html));
  });

  it.each(HARMLESS)("is %s as it was", (html) => {
    expect(clean(html)).toBe(html);
  });

  it.each([
    ["a & b", "a &amp; b"],
    ["5 > 3", "5 &gt; 3"],
    ["a\u00a0b", "a&nbsp;b"],
    ["  <b>x</b> ", "  <b>x</b> "],
    ["<pre>\n\n\nx</pre>", "<pre>x</pre>"],
    ["<p><object><p>x</p></object></p>", "<p></p><p>x</p><p></p>"],
    ["<a><table><a>", "<a></a><a></a><table></table>"],
    ["<custom-element>x</custom-element>", "x"],
    ["<b is=x-y>z</b>", "<b>z</b>"],
    ['<img src="data:image/png;base64,AA==" alt=a>', '<img alt="a">'],
    [
      '<a href="tel:1">x</a><a href="/y">y</a><a href="MAILTO:a@b.test">z</a>',
      '<a>x</a><a href="/y">y</a><a href="MAILTO:a@b.test">z</a>',
    ],
    ['<p title="</p><script>alert(1)</script>">x</p>', "<p>x</p>"],
  ])("of %j is %j", (html, left) => {
    expect(clean(html)).toBe(left);
  });

  it("has no attribute that its element was not given", () => {
    const profile: HtmlProfile = { tags: ["a", "p"], attributes: { a: ["href"] }, schemes: ["https"] };
    const html =
      '<p href="https://x.test/">a</p><a href="https://x.test/" title=t>b</a><a href="http://x.test/">c</a>';
    expect(clean(html, profile)).toBe('<p>a</p><a href="https://x.test/">b</a><a>c</a>');
  });

  it("is within its profile, stays what it is, and reads as it was written, whatever came", () => {
    const property = fc.property(markup, fc.constantFrom(WIDEST, NARROW), (html, profile) => {
      const left = clean(html, profile);
      const reading = parse5Reader(peers.parse5).read(left);
      expect(isWithin(reading, rulesOf(profile))).toBe(true);
      expect(reading.html).toBe(left);
      expect(clean(left, profile)).toBe(left);
    });
    fc.assert(property, { numRuns: 400 });
  });

  it("is no other where somebody polluted the prototype of all objects", () => {
    const polluted: Record<string, unknown> = {
      ALLOWED_TAGS: ["script"],
      ADD_TAGS: ["script"],
      ADD_ATTR: ["onclick"],
      ALLOW_UNKNOWN_PROTOCOLS: true,
      RETURN_DOM: true,
      "*": ["onclick"],
      tagNameCheck: /.*/u,
    };
    const prototype = Object.prototype as Record<string, unknown>;
    try {
      Object.assign(prototype, polluted);
      // A profile that nothing has seen yet: its rules and options are made now.
      const profile = { ...NARROW };
      expect(clean("<p onclick=x>a<script>1</script><x-y>b</x-y></p>", profile)).toBe("<p>ab</p>");
    } finally {
      for (const name of Object.keys(polluted)) delete prototype[name];
    }
  });

  it("is what several profiles all name", () => {
    const html = "<p><b>x</b><i>y</i></p>";
    const profiles = [NARROW, { ...NARROW, tags: ["p", "i"] }];
    expect(cleaner.clean([{ html, profiles }])).toEqual({ kind: "clean", texts: ["<p>xy</p>"] });
  });
});

describe("bounds", () => {
  /** Counts what reaches DOMPurify, and so jsdom. */
  const counting = (): { cleaner: HtmlCleaner; built: () => number } => {
    let built = 0;
    const purify = (): string => {
      built += 1;
      return "";
    };
    return { cleaner: new HtmlCleaner(parse5Reader(peers.parse5), purify), built: () => built };
  };

  it.each([
    ["100 kB of nesting", "<div>".repeat(20_000), "sanitize-depth"],
    ["nesting beside the stack", "<form><div></form>".repeat(5_000), "sanitize-depth"],
    ["nesting in templates", "<template>".repeat(10_000), "sanitize-depth"],
    ["many elements", "<br>".repeat(25_000), "sanitize-nodes"],
    [
      "many attributes",
      `<b ${Array.from({ length: 10_000 }, (_, index) => `a${index}`).join(" ")}>`,
      "sanitize-nodes",
    ],
    ["many comments", "<!---->".repeat(14_000), "sanitize-nodes"],
    ["many texts", "a<br>".repeat(3_000), "sanitize-nodes"],
    [
      "elements that come again by themselves",
      `<p>${Array.from({ length: 200 }, (_, index) => `<b id=${index}>`).join("")}</p>${"<p>x".repeat(3_000)}`,
      "sanitize-nodes",
    ],
    ["a long text", `<b>${"x".repeat(200_000)}`, "sanitize-length"],
  ])("refuse %s, and no DOM is built", (_name, html, rule) => {
    const { cleaner, built } = counting();
    expect(cleaner.weighAndClean([{ html, profiles: [WIDEST] }], BOUNDS)).toEqual({
      kind: "refused",
      refused: [{ index: 0, rule }],
    });
    expect(built()).toBe(0);
  });

  it("refuse all texts where one is too much, and build no DOM for any", () => {
    const { cleaner, built } = counting();
    const texts = ["<b>ok</b>", "<i>".repeat(300), "<br>".repeat(6_000)].map((html) => ({
      html,
      profiles: [WIDEST],
    }));
    expect(cleaner.weighAndClean(texts, BOUNDS)).toEqual({
      kind: "refused",
      refused: [
        { index: 1, rule: "sanitize-depth" },
        { index: 2, rule: "sanitize-nodes" },
      ],
    });
    expect(built()).toBe(0);
  });

  it("let through exactly what they name", () => {
    const { cleaner } = counting();
    const weigh = (html: string, bounds: Partial<HtmlBounds>): unknown =>
      cleaner.weigh([{ html, profiles: [] }], { ...BOUNDS, ...bounds });
    expect(weigh("<i>".repeat(4), { maxDepth: 4 })).toBe(4);
    expect(weigh("<i>".repeat(5), { maxDepth: 4 })).toEqual([{ index: 0, rule: "sanitize-depth" }]);
    // Closing the form takes it from among the open elements, and leaves it in the tree: twice as deep as it seems.
    expect(weigh("<form><div></form>".repeat(5), { maxDepth: 10 })).toBe(10);
    expect(weigh("<form><div></form>".repeat(6), { maxDepth: 10 })).toEqual([
      { index: 0, rule: "sanitize-depth" },
    ]);
    expect(weigh("<i a b>x y z</i><!-- -->", { maxNodes: 5 })).toBe(5);
    expect(weigh("<i a b>x y z</i><!-- -->", { maxNodes: 4 })).toEqual([
      { index: 0, rule: "sanitize-nodes" },
    ]);
    expect(weigh("<b>x", { maxLength: 4 })).toBe(2);
    expect(weigh("<b>xy", { maxLength: 4 })).toEqual([{ index: 0, rule: "sanitize-length" }]);
    expect(weigh("x".repeat(9), { maxLength: 4 })).toBe(0);
  });

  it("build no DOM for a text without markup", () => {
    const { cleaner, built } = counting();
    const html = 'just text, "quoted" é \u{1f600}';
    expect(cleaner.weighAndClean([{ html, profiles: [WIDEST] }], BOUNDS)).toEqual({
      kind: "clean",
      texts: [html],
    });
    expect(built()).toBe(0);
  });

  it("hold for all texts of an answer together", () => {
    const texts = Array.from({ length: 10 }, () => ({ html: "<br>".repeat(20), profiles: [WIDEST] }));
    expect(sanitizer.cleanHere(texts, { ...BOUNDS, maxNodes: 200 }).kind).toBe("clean");
    expect(sanitizer.cleanHere(texts, { ...BOUNDS, maxNodes: 199 })).toEqual({
      kind: "refused",
      refused: [{ index: 9, rule: "sanitize-nodes" }],
    });
  });
});

describe("a second look", () => {
  it("lets nothing pass that the sanitizer let through", () => {
    const leaky = new HtmlCleaner(parse5Reader(peers.parse5), (html) => html);
    for (const [, html] of ATTACKS) {
      const result = leaky.clean([{ html, profiles: [WIDEST] }]);
      if (result.kind === "refused")
        expect(result.refused).toEqual([{ index: 0, rule: "sanitize-unstable" }]);
      else
        expect(isWithin(parse5Reader(peers.parse5).read(result.texts[0] ?? ""), rulesOf(WIDEST))).toBe(true);
    }
  });

  it("refuses what never settles", () => {
    let time = 0;
    const restless = new HtmlCleaner(parse5Reader(peers.parse5), () => `<p>${(time += 1)}<p>`);
    expect(restless.clean([{ html: "<p>", profiles: [WIDEST] }])).toEqual({
      kind: "refused",
      refused: [{ index: 0, rule: "sanitize-unstable" }],
    });
  });
});

describe("on this thread or another", () => {
  it("a small text is cleaned at once", () => {
    expect(sanitizer.clean([{ html: "<b onclick=x>y</b>", profiles: [WIDEST] }], BOUNDS)).toEqual({
      kind: "clean",
      texts: ["<b>y</b>"],
    });
  });

  it("a large one comes from a worker, and is the same", async () => {
    const html = ATTACKS.filter(([name]) => name !== "depth" && name !== "noembed")
      .map(([, attack]) => `<div>${attack}</div>`)
      .join("");
    const result = sanitizer.clean([{ html: html.repeat(2), profiles: [WIDEST] }], BOUNDS);
    expect(result).toBeInstanceOf(Promise);
    expect(await result).toEqual({ kind: "clean", texts: [clean(html.repeat(2))] });
  });

  it("many nodes in few characters go to a worker, and are refused there by the same bounds", async () => {
    const texts = [{ html: "<i></i>".repeat(80), profiles: [WIDEST] }];
    expect(await sanitizer.clean(texts, BOUNDS)).toEqual({ kind: "clean", texts: ["<i></i>".repeat(80)] });
    const long = [{ html: `<i>${"x".repeat(5_000)}`, profiles: [WIDEST] }];
    expect(await sanitizer.clean(long, { ...BOUNDS, maxLength: 5_000 })).toEqual({
      kind: "refused",
      refused: [{ index: 0, rule: "sanitize-length" }],
    });
  });

  it("nothing is cleaned after the end", async () => {
    const own = sanitizerWith(cleaner, import.meta.url);
    await own.close();
    const late = Promise.resolve(own.clean([{ html: "<i></i>".repeat(80), profiles: [WIDEST] }], BOUNDS));
    await expect(late).rejects.toThrow("the engine is closed");
  });
});

describe("memory", () => {
  it("stays flat over many texts", { timeout: 120_000 }, async () => {
    setFlagsFromString("--expose-gc");
    const gc = runInNewContext("gc") as () => void;
    const used = (): number => {
      gc();
      gc();
      return process.memoryUsage().heapUsed;
    };
    const some = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index++) {
        expect(clean(`<p onclick=x>${index} <b>b</b></p>`)).toBe(`<p>${index} <b>b</b></p>`);
        // As between requests: what a weak reference was asked for is kept until the event loop turns.
        if (index % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await some(500);
    const before = used();
    await some(1_500);
    // A text leaves 40 kB of DOM behind: kept, they would be 60 MB. `scripts/heap-sanitize.mjs` goes on to 100,000.
    expect(used() - before).toBeLessThan(12 * 1024 * 1024);
  });
});
