// Memory stays flat over many sanitizations, each of which builds a DOM of some 40 kB.
// Needs a build. `node --expose-gc scripts/heap-sanitize.mjs [texts]`, 100,000 by default: some minutes.
import { setImmediate } from "node:timers/promises";
import { createEngine } from "@gatehouse/core";

const total = Number(process.argv[2] ?? 100_000);
/** Bytes that the heap may have grown by from the first fifth to the end. */
const MOST = 16 * 1024 * 1024;

const engine = await createEngine({
  gatehouse: 1,
  name: "heap",
  transport: { https: "off" },
  routes: {
    "POST /posts": {
      authenticate: "none",
      request: {
        body: { type: "object", properties: { html: { type: "string" } } },
        sanitize: { "/html": "html" },
      },
    },
  },
});

const heap = () => {
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
};
const post = async (index) => {
  const html = `<p onclick="x()">text ${index} <b>bold</b> <a href="https://site.test/${index}">link</a><script>${index}</script></p>`;
  const decision = await engine.evaluate({
    method: "POST",
    target: "/posts",
    headers: [["Host", "a.test"]],
    body: { html },
  });
  if (decision.outcome !== "admit" || decision.body.html.includes("script")) throw new Error("not sanitized");
};

let begin = 0;
for (let index = 1; index <= total; index++) {
  await post(index);
  // As between requests: what a weak reference was asked for is kept until the event loop turns.
  if (index % 10 === 0) await setImmediate();
  if (index % Math.ceil(total / 10) !== 0) continue;
  const used = heap();
  if (index >= total / 5 && begin === 0) begin = used;
  console.log(`${index}: ${(used / 1024 / 1024).toFixed(1)} MiB`);
}
const grown = heap() - begin;
await engine.close();
console.log(`grown by ${(grown / 1024 / 1024).toFixed(1)} MiB, at most ${MOST / 1024 / 1024}`);
process.exitCode = grown > MOST ? 1 : 0;
