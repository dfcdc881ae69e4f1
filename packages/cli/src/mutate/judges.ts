/** Who judges mutants: this thread, or several beside it. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { PolicyError, type Diagnostic } from "@gatehouse/core";
import { PolicyTestError } from "@gatehouse/core/testing";
import { FailingTestsError, type Suite, type Verdict } from "./suite.js";

export interface Judges {
  /** @param indices of the suite's mutants; verdicts come in their order */
  all(indices: readonly number[], onOne: () => void): Promise<readonly Verdict[]>;
}

/** What a thread is told when it begins: both sides make the same mutants from it. */
export interface JudgeData {
  readonly files: readonly string[];
  readonly suite: number;
}

/** What a thread tells: an error loses its class on the way between threads, and with it what the user is told. */
export type Told = Verdict | "ready" | Broken;

interface Broken {
  readonly status: "broken";
  readonly name: string;
  readonly message: string;
  readonly diagnostics: readonly Diagnostic[];
}

export function brokenBy(error: unknown): Broken {
  const { name, message } = error instanceof Error ? error : { name: "Error", message: String(error) };
  const placed = error instanceof PolicyError || error instanceof PolicyTestError;
  return { status: "broken", name, message, diagnostics: placed ? error.diagnostics : [] };
}

export function errorOf({ name, message, diagnostics }: Broken): Error {
  switch (name) {
    case "PolicyError":
      return new PolicyError(diagnostics);
    case "PolicyTestError":
      return new PolicyTestError(diagnostics);
    case "FailingTestsError":
      return new FailingTestsError(message);
    default:
      return new Error(message);
  }
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
  const workers: Worker[] = [];
  let next = 0;
  const run = (): Promise<void> =>
    new Promise((done, failed) => {
      const worker = new Worker(script, { workerData: data });
      workers.push(worker);
      let asked = 0;
      const ask = (): void => {
        const index = indices[next];
        if (index === undefined) return done();
        asked = next++;
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
        worker.postMessage(index);
      };
      worker.on("error", failed);
      worker.on("message", (told: Told) => {
        if (told !== "ready") {
          if (told.status === "broken") return failed(errorOf(told));
          verdicts[asked] = told;
          onOne();
        }
        ask();
      });
    });
  try {
    await Promise.all(Array.from({ length: jobs }, run));
    return verdicts;
  } finally {
    // Where one broke, what the others find is of no use, and they would keep the process.
    for (const worker of workers) void worker.terminate();
  }
}
