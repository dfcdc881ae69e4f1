// The built core in a real Chromium, on a page and in a worker, under a content security policy that forbids
// eval and `new Function`: body schemas included, it must decide there what it decides on Node.
import { createServer } from "node:http";
import { once } from "node:events";
import { json } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { bundle } from "./lib/bundle.mjs";
import { launch } from "./lib/chromium.mjs";

const policy = "default-src 'none'; script-src 'self'; connect-src 'self'";
const page =
  '<!doctype html><meta charset="utf-8"><title>gatehouse</title><script type="module" src="/page.js"></script>';

const deferred = () => {
  let resolve;
  const promise = new Promise((fulfil) => (resolve = fulfil));
  return { promise, resolve };
};

/** One for the page with the browser's conditions, one for the worker with a worker's. */
const files = new Map([
  ...(await bundle("page.js", ["browser"])),
  ...(await bundle("worker.js", ["worker", "browser"])),
]);

const { promise: told, resolve: tell } = deferred();
const server = createServer((request, response) => {
  if (request.method === "POST" && request.url === "/verdict") {
    json(request).then(tell, (error) => tell({ page: { error: String(error), violations: [], cases: [] } }));
    response.end();
    return;
  }
  const script = files.get(request.url);
  response.setHeader("Content-Security-Policy", policy);
  response.setHeader("Content-Type", request.url === "/" ? "text/html" : "text/javascript");
  response.statusCode = request.url === "/" || script !== undefined ? 200 : 404;
  response.end(request.url === "/" ? page : script);
});
server.listen(0, "127.0.0.1");
await once(server, "listening");

const browser = await launch();

const problems = [];
try {
  const tab = await browser.newPage();
  tab.on("pageerror", (error) => problems.push(`page: ${error.stack ?? error}`));
  await tab.goto(`http://127.0.0.1:${server.address().port}/`);
  const verdict = await Promise.race([
    told,
    setTimeout(60_000).then(() => Promise.reject(new Error("the page sent no verdict within a minute"))),
  ]);
  for (const [where, { cases, error, violations, control }] of Object.entries(verdict)) {
    if (error !== undefined) problems.push(`${where}: ${error}`);
    for (const violation of violations)
      problems.push(`${where}: the security policy was violated: ${violation}`);
    if (!control) problems.push(`${where}: eval was let through or went unheard, so this run proves nothing`);
    for (const { name, expected, got, ok, code } of cases) {
      if (!ok) problems.push(`${where}: ${name}: expected ${expected}, got ${got} ${code ?? ""}`);
    }
    if (cases.length === 0) problems.push(`${where}: nothing was judged`);
    console.log(
      `${where}: ${cases.filter(({ ok }) => ok).length} of ${cases.length} decisions as they must be`,
    );
  }
} catch (error) {
  problems.push(String(error.stack ?? error));
} finally {
  await browser.close();
  server.closeAllConnections();
  server.close();
}
if (problems.length > 0) console.error(problems.join("\n"));
process.exit(problems.length > 0 ? 1 : 0);
