/** A thread that judges mutants: told their numbers, it answers with verdicts. */
import { parentPort, workerData } from "node:worker_threads";
import { brokenBy, type JudgeData, type Told } from "./judges.js";
import { Suite } from "./suite.js";

async function serve(tell: (told: Told) => void): Promise<void> {
  const { files, suite: number } = workerData as JudgeData;
  const suite = (await Suite.all(files))[number];
  if (suite === undefined) throw new Error("there is nothing to judge");
  parentPort?.on("message", (index: number) => {
    void judge(suite, index).then(tell, (error: unknown) => tell(brokenBy(error)));
  });
  tell("ready");
}

async function judge(suite: Suite, index: number): Promise<Told> {
  const mutant = suite.mutants[index];
  if (mutant === undefined) throw new Error(`there is no mutant ${index}`);
  return await suite.judge(mutant);
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
const tell = (told: Told): void => parentPort?.postMessage(told);
void serve(tell).catch((error: unknown) => tell(brokenBy(error)));
