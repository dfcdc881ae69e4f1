/** Cases that wait by the system's clock, for the engine's patience to end: a worker would have nothing to do meanwhile. */
import type { Case, TestRunner } from "@gatehouse/core/conformance";
import { afterAll, beforeAll, describe, it } from "vitest";

/** True for a case that takes seconds of waiting. */
export function waits({ checks = {}, sink }: Case): boolean {
  return sink === "hangs" || Object.values(checks).includes("hangs");
}

/** Its tests are begun before all others of the file, and looked at where they stand: each has an engine of its own. */
export function beginningFirst(): TestRunner {
  const begins: (() => Promise<void>)[] = [];
  const running: Promise<void>[] = [];
  const own: TestRunner["it"] = it;
  beforeAll(() => {
    for (const begin of begins) {
      const run = begin();
      // It is the test's to fail by, later.
      run.catch(() => undefined);
      running.push(run);
    }
  });
  // Where a name was asked for, nobody may have waited for them.
  afterAll(async () => void (await Promise.allSettled(running)));
  const test = (name: string, run: () => Promise<void>): void => {
    const index = begins.push(run) - 1;
    own(name, async () => running[index]);
  };
  return { describe, it: Object.assign(test, { skip: own.skip }) };
}
