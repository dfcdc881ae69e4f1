// The page: judges here, then has a worker judge, and leaves both verdicts where the driver looks.
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

globalThis.verdict = { page: await attempt(() => run(globalThis)), worker: await attempt(inWorker) };
