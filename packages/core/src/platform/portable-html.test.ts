/** A page's DOM is played by jsdom; the real thing is scripts/browser-sanitize.mjs. */
import createDOMPurify from "dompurify";
import { describe, expect, it } from "vitest";
import type { HtmlBounds, PurifierFactory } from "../ports/html-sanitizer.js";
import { ATTACKS, HARMLESS } from "./html-attacks.js";
import { WIDEST } from "./html-proof.js";
import { cleanerFor, loadPeers } from "./node-html-realm.js";
import { type DomWindow, openPortableHtml } from "./portable-html.js";
import { platform } from "./portable.js";

const peers = loadPeers(import.meta.url);
const { window } = new peers.jsdom.JSDOM("", { virtualConsole: new peers.jsdom.VirtualConsole() });
const page = window as DomWindow;
const dompurify: PurifierFactory = createDOMPurify;
const BOUNDS: HtmlBounds = { maxLength: 2_000, maxDepth: 8, maxNodes: 20 };

describe("in a page", () => {
  it("attacks come to the same as on Node, and harmless markup stays", async () => {
    const sanitizer = await openPortableHtml(dompurify, page);
    const node = cleanerFor(peers);
    const wide = { maxLength: 10_000, maxDepth: 256, maxNodes: 1_000 };
    for (const html of [...ATTACKS.map(([, attack]) => attack), ...HARMLESS]) {
      const texts = [{ html, profiles: [WIDEST] }];
      expect(sanitizer.clean(texts, wide)).toEqual(node.weighAndClean(texts, wide));
    }
    await sanitizer.close();
  });

  it.each([
    [`<b>${"x".repeat(2_000)}`, "sanitize-length"],
    ["<i>".repeat(9), "sanitize-depth"],
    ["<template>".repeat(9), "sanitize-depth"],
    ["<br>".repeat(21), "sanitize-nodes"],
    [`<b ${Array.from({ length: 20 }, (_, index) => `a${index}`).join(" ")}>`, "sanitize-nodes"],
  ])("%s breaks a bound", async (html, rule) => {
    const sanitizer = await openPortableHtml(dompurify, page);
    const refused = { kind: "refused", refused: [{ index: 0, rule }] };
    expect(sanitizer.clean([{ html, profiles: [WIDEST] }], BOUNDS)).toEqual(refused);
    expect(sanitizer.cleanHere([{ html, profiles: [WIDEST] }], BOUNDS)).toEqual(refused);
  });

  it("bounds hold for all texts of an answer together", async () => {
    const sanitizer = await openPortableHtml(dompurify, page);
    const texts = [1, 2].map(() => ({ html: "<br>".repeat(11), profiles: [WIDEST] }));
    expect(sanitizer.clean(texts.slice(1), BOUNDS)).toMatchObject({ kind: "clean" });
    expect(sanitizer.cleanHere(texts, BOUNDS)).toEqual({
      kind: "refused",
      refused: [{ index: 1, rule: "sanitize-nodes" }],
    });
  });

  it("the page's own DOMPurify keeps its ways", async () => {
    const own = dompurify(window as never);
    await openPortableHtml(() => dompurify(window as never), page);
    expect(own.sanitize('<p data-x="1">a</p>', {})).toBe('<p data-x="1">a</p>');
  });
});

describe("nothing is trusted", () => {
  const passing: PurifierFactory = () => ({
    isSupported: true,
    sanitize: (html) => html,
    addHook: () => undefined,
  });

  it.each<readonly [string, PurifierFactory | undefined, DomWindow, string, string]>([
    [
      "without a DOM",
      dompurify,
      {},
      "missing-sanitizer",
      "sanitizing HTML needs a DOM, and there is none here",
    ],
    [
      "without DOMPurify",
      undefined,
      page,
      "missing-sanitizer",
      "sanitizing HTML needs DOMPurify, which was not handed over",
    ],
    [
      "that passes its input through",
      passing,
      page,
      "untrusted-sanitizer",
      "what sanitizes HTML here cannot be trusted: the attack `script` passes it",
    ],
    [
      "that is not supported",
      () => dompurify({} as never),
      page,
      "untrusted-sanitizer",
      "what sanitizes HTML here cannot be trusted: DOMPurify does not support its DOM",
    ],
  ])("%s", async (_name, factory, where, code, message) => {
    await expect(openPortableHtml(factory, where)).rejects.toMatchObject({ code, message });
  });

  it("on a platform without a DOM, by itself", async () => {
    await expect(platform.openHtmlSanitizer(dompurify)).rejects.toMatchObject({ code: "missing-sanitizer" });
  });
});
