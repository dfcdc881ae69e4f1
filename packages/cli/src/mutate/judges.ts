/** Who judges mutants: this thread, or several beside it. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { Suite, Verdict } from "./suite.js";

export interface Judges {
  /** @param indices of the suite's mutants; verdicts come in their order */
  all(indices: readonly number[], onOne: () => void): Promise<readonly Verdict[]>;
}

/** What a thread is told when it begins: both sides make the same mutants from it. */
export interface JudgeData {
  readonly files: readonly string[];
  readonly suite: number;
}

export function judgesFor(suite: Suite, index: number, files: readonly string[], jobs: number): Judges {
  const script = workerScript();
  if (jobs < 2 || script === undefined) return here(suite);
  return { all: (indices, onOne) => inThreads(script, { files, suite: index }, indices, jobs, onOne) };
}

function here(suite: Suite): Judges {
  return {
    async all(indices, onOne) {
      const verdicts: Verdict[] = [];
      for (const index of indices) {
        const mutant = suite.mutants[index];
        if (mutant === undefined) continue;
        verdicts.push(await suite.judge(mutant));
        onOne();
      }
      return verdicts;
    },
  };
}

/** It stands beside the bundle. Undefined when the sources run by themselves, which a thread could not load. */
function workerScript(): string | undefined {
  const path = fileURLToPath(new URL("./mutate-worker.js", import.meta.url));
  return existsSync(path) ? path : undefined;
}

async function inThreads(
  script: string,
  data: JudgeData,
  indices: readonly number[],
  jobs: number,
  onOne: () => void,
): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  let next = 0;
  const run = (): Promise<void> =>
    new Promise((done, failed) => {
      const worker = new Worker(script, { workerData: data });
      let asked = 0;
      const ask = (): void => {
        const index = indices[next];
        if (index === undefined) {
          void worker.terminate();
          return done();
        }
        asked = next++;
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
        worker.postMessage(index);
      };
      worker.on("error", failed);
      worker.on("message", (told: Verdict | "ready") => {
        if (told !== "ready") {
          verdicts[asked] = told;
          onOne();
        }
        ask();
      });
    });
  await Promise.all(Array.from({ length: jobs }, run));
  return verdicts;
}
