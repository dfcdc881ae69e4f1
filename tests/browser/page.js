// The page: judges here, then has a worker judge, and sends both verdicts home: a driver that looked
// in from outside would have to evaluate text, which this page forbids.
import { run } from "./judge.js";

const inWorker = () =>
  new Promise((resolve, reject) => {
    const worker = new Worker("/worker.js", { type: "module" });
    worker.addEventListener("message", ({ data }) => resolve(data));
    worker.addEventListener("error", (event) => reject(new Error(`worker: ${event.message}`)));
  });

const attempt = async (work) => {
  try {
    return await work();
  } catch (error) {
    return { cases: [], error: String(error), violations: [], control: false };
  }
};

const verdict = { page: await attempt(() => run(globalThis)), worker: await attempt(inWorker) };
await fetch("/verdict", { method: "POST", body: JSON.stringify(verdict) });
