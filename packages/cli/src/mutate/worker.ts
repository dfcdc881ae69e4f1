/** A thread that judges mutants: told their numbers, it answers with verdicts. */
import { parentPort, workerData } from "node:worker_threads";
import type { JudgeData } from "./judges.js";
import { Suite } from "./suite.js";

async function serve(): Promise<void> {
  const { files, suite: number } = workerData as JudgeData;
  const suite = (await Suite.all(files))[number];
  if (suite === undefined || parentPort === null) throw new Error("there is nothing to judge");
  const port = parentPort;
  port.on("message", (index: number) => {
    const mutant = suite.mutants[index];
    if (mutant === undefined) throw new Error(`there is no mutant ${index}`);
    void suite.judge(mutant).then((verdict) => port.postMessage(verdict));
  });
  port.postMessage("ready");
}

void serve();
