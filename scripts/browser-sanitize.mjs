// A real Chromium is the judge of sanitized markup: the built-in attacks, cleaned by jsdom on Node and by the page's own DOM, are
// put into a page, and nothing may run. Needs a build.
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { build } from "esbuild";
import { createEngine } from "@gatehouse/core";
import { bundle } from "./lib/bundle.mjs";
import { launch } from "./lib/chromium.mjs";

const root = new URL("..", import.meta.url).pathname;
const problems = [];

/** What is not part of the package's door: the list of attacks, and all that a profile can name. */
async function load(path) {
  const { outputFiles } = await build({
    entryPoints: [join(root, "packages/core/src", path)],
    bundle: true,
    format: "esm",
    write: false,
    tsconfigRaw: {},
  });
  return import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
}

const { ATTACKS } = await load("platform/html-attacks.ts");
const { TAGS, ATTRIBUTES } = await load("lib/html-vocabulary.ts");

const single = ATTACKS.map(([, html]) => html);
const attacks = [...single, ...single.map((html, index) => single[(index * 7 + 3) % single.length] + html)];
const policy = {
  gatehouse: 1,
  name: "browser",
  transport: { https: "off" },
  sanitizing: {
    profiles: {
      widest: { tags: TAGS, attributes: { "*": ATTRIBUTES }, schemes: ["http", "https", "mailto"] },
    },
  },
  routes: {
    "POST /posts": {
      authenticate: "none",
      request: {
        body: { type: "object", properties: { html: { type: "string" } } },
        sanitize: { "/html": "widest" },
        sniff: { controlCharacters: false },
      },
    },
  },
};

async function cleanOnNode(texts) {
  const engine = await createEngine(policy);
  const clean = [];
  for (const html of texts) {
    const decision = await engine.evaluate({
      method: "POST",
      target: "/posts",
      headers: [["Host", "a.test"]],
      body: { html },
    });
    clean.push(decision.outcome === "admit" ? decision.body.html : `refused: ${decision.code}`);
  }
  await engine.close();
  return clean;
}

const scripts = new Map(await bundle("sanitize.js", ["browser"]));

const server = createServer((request, response) => {
  const script = scripts.get(request.url);
  const page = request.url === "/";
  response.setHeader("Content-Type", page ? "text/html" : "text/javascript");
  response.statusCode = page || script !== undefined ? 200 : 404;
  // No security policy: nothing but the sanitizer stands between the markup and the page.
  response.end(
    page ? '<!doctype html><meta charset="utf-8"><script type="module" src="/sanitize.js"></script>' : script,
  );
});
server.listen(0, "127.0.0.1");
await once(server, "listening");

const browser = await launch();
try {
  const tab = await browser.newPage();
  tab.on("dialog", (dialog) => {
    problems.push(`a dialog opened: ${dialog.message()}`);
    void dialog.dismiss();
  });
  const home = `http://127.0.0.1:${server.address().port}/`;
  // What the markup asks of others stays here.
  await tab.route("**/*", (route) =>
    route.request().url().startsWith(home) ? route.continue() : route.abort(),
  );
  const judge = async (name, ...parts) => {
    // A page of its own each time: an attack that got through may have changed it.
    await tab.goto(home);
    await tab.waitForFunction(() => globalThis.judge !== undefined);
    const result = await tab.evaluate(([name, parts]) => globalThis.judge[name](...parts), [name, parts]);
    if (tab.url() !== home) problems.push(`${name}: the page went to ${tab.url()}`);
    return result;
  };

  const control = await judge("firedBy", ["<img src=/x onerror=alert(1)>", "<svg onload=alert(2)>"]);
  if (control.length === 0) problems.push("control: nothing ran of what must, so this run proves nothing");

  const onNode = await cleanOnNode(attacks);
  const inPage = await judge("cleanHere", policy, attacks);
  for (const [where, clean] of [
    ["cleaned on Node", onNode],
    ["cleaned in the page", inPage],
  ]) {
    const ran = await judge("firedBy", clean);
    if (ran.length > 0) problems.push(`${where}: ${ran.length} times something ran`);
    const refused = clean.filter((html) => html.startsWith("refused"));
    if (refused.length > 0) problems.push(`${where}: ${refused.length} attacks were not cleaned but refused`);
    if (clean.every((html) => html === "")) problems.push(`${where}: nothing was left of anything`);
    console.log(`${where}: ${clean.length} attacks, ${ran.length} ran`);
  }
  const missing = await judge("withoutPurifier", policy);
  if (missing !== "missing-sanitizer") problems.push(`without DOMPurify: ${missing}`);
  const fake = await judge("withFake", policy);
  if (fake !== "untrusted-sanitizer") problems.push(`with a DOMPurify that does nothing: ${fake}`);
} catch (error) {
  problems.push(String(error.stack ?? error));
} finally {
  await browser.close();
  server.closeAllConnections();
  server.close();
}
if (problems.length > 0) console.error(problems.join("\n"));
process.exit(problems.length > 0 ? 1 : 0);
