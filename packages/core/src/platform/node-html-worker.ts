/** Sanitizes off the thread that serves. `npm run gen` bundles it into text: see node-html-worker.gen.ts. */
import { parentPort, workerData } from "node:worker_threads";
import type { HtmlJob, HtmlReply } from "./node-html-pool.js";
import { cleanerFor, loadPeers } from "./node-html-realm.js";

const { from } = workerData as { readonly from: string };
// Whatever fails here ends the worker, and the pool hears of it: the text is refused.
const cleaner = cleanerFor(loadPeers(from));

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
const say = (reply: HtmlReply): void => parentPort?.postMessage(reply);

parentPort?.on("message", ({ id, texts, bounds }: HtmlJob) => {
  say({ id, result: cleaner.weighAndClean(texts, bounds) });
});
say({ id: 0, result: { kind: "clean", texts: [] } });
