/** What must not be trusted with HTML is found out while a policy is compiled. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { createEngine, PolicyError, type PolicyDocument } from "../index.js";
import type { DomPurify, PurifierFactory } from "../ports/html-sanitizer.js";
import type * as Realm from "./node-html-realm.js";

const realm = await vi.importActual<typeof Realm>("./node-html-realm.js");
const real = realm.loadPeers(import.meta.url);
let load: () => Realm.HtmlPeers = () => real;

vi.mock("./node-html-realm.js", async (original) => ({
  ...(await original<typeof Realm>()),
  loadPeers: () => load(),
}));
afterEach(() => {
  load = () => real;
});

const policy = (profile: string): PolicyDocument => ({
  gatehouse: 1,
  name: "t",
  transport: { https: "off" },
  routes: {
    "POST /a": {
      authenticate: "none",
      request: {
        body: { type: "object", properties: { html: { type: "string" } } },
        sanitize: { "/html": profile },
      },
    },
  },
});

const AT = "/routes/POST ~1a/request/sanitize";
const HELP = "install jsdom 20 or newer and a current DOMPurify: `npm install jsdom dompurify`";

async function diagnosticsOf(document: PolicyDocument): Promise<unknown> {
  try {
    await (await createEngine(document)).close();
    return "served";
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return error.diagnostics;
  }
}

const refusedFor = (what: string): unknown => [
  {
    code: "untrusted-sanitizer",
    severity: "error",
    pointer: AT,
    message: `what sanitizes HTML here cannot be trusted: ${what}`,
    help: HELP,
  },
];

const fake =
  (parts: Partial<DomPurify>): PurifierFactory =>
  () => ({ isSupported: true, sanitize: (html) => html, addHook: () => undefined, ...parts });

/** The real one, but for what it makes of some input. */
const but =
  (change: (clean: string, dirty: string) => string): PurifierFactory =>
  (window) => {
    const instance = real.dompurify(window);
    return {
      isSupported: true,
      addHook: (at, hook) => instance.addHook(at, hook),
      sanitize: (html, config) => change(String(instance.sanitize(html, config)), html),
    };
  };

describe("createEngine refuses", () => {
  it.each<readonly [string, Partial<Realm.HtmlPeers>, string]>([
    ["a DOMPurify that passes its input through", { dompurify: fake({}) }, "the attack `script` passes it"],
    [
      "one that says that it is not supported",
      { dompurify: fake({ isSupported: false }) },
      "DOMPurify does not support its DOM",
    ],
    [
      "the real one on a DOM that is none",
      { dompurify: () => real.dompurify({} as never) },
      "DOMPurify does not support its DOM",
    ],
    [
      "one that lets one old attack through",
      { dompurify: but((clean, dirty) => (dirty.includes("mglyph") ? dirty : clean)) },
      "the attack `mglyph` passes it",
    ],
    [
      "one that keeps a handler",
      { dompurify: but((clean) => clean.replace("<img", "<img onload=x")) },
      "the attack `handler` passes it",
    ],
    [
      "one that keeps a comment",
      { dompurify: but((clean) => `${clean}<!-- -->`) },
      "the attack `script` passes it",
    ],
    [
      "one that lets nothing through",
      { dompurify: fake({ sanitize: () => "" }) },
      "it changes harmless markup",
    ],
    ["a jsdom that is too old", { jsdomVersion: "19.0.0" }, "jsdom 19.0.0 is older than 20"],
  ])("%s", async (_name, part, what) => {
    load = () => ({ ...real, ...part });
    expect(await diagnosticsOf(policy("html"))).toEqual(refusedFor(what));
  });

  it("one that answers with no text", async () => {
    load = () => ({ ...real, dompurify: fake({ sanitize: () => ({}) }) });
    expect(await diagnosticsOf(policy("html"))).toEqual([
      {
        code: "untrusted-sanitizer",
        severity: "error",
        pointer: AT,
        message: "what sanitizes HTML here failed to load",
        help: "`npm install jsdom dompurify`",
      },
    ]);
  });

  it("a policy whose peers are not installed, and says what to install", async () => {
    load = () => realm.loadPeers("/nowhere/index.js");
    expect(await diagnosticsOf(policy("html"))).toEqual([
      {
        code: "missing-sanitizer",
        severity: "error",
        pointer: AT,
        message: "sanitizing HTML needs `jsdom` and `dompurify`, which are not installed",
        help: "`npm install jsdom dompurify`",
      },
    ]);
  });

  it("none of them where only text is cleaned, and loads nothing", async () => {
    let loaded = 0;
    load = () => {
      loaded += 1;
      return { ...real, dompurify: fake({}) };
    };
    expect(await diagnosticsOf(policy("text"))).toBe("served");
    expect(loaded).toBe(0);
  });

  it("not the real ones, of a version that does not tell", async () => {
    load = () => ({ ...real, jsdomVersion: undefined });
    expect(await diagnosticsOf(policy("html"))).toBe("served");
  });
});
