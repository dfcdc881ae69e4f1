/** The whole list of cases as tests of one adapter, in whatever runner its own tests use. */
import type { Case, CaseFile } from "./case.js";
import { caseFiles } from "./files.js";
import { runOverSockets, whyNotOverSockets, type SocketTarget } from "./sockets.js";

/** What vitest, jest and node:test have in common. */
export interface TestRunner {
  readonly describe: (name: string, define: () => void) => unknown;
  readonly it: {
    (name: string, run: () => Promise<void>): unknown;
    readonly skip: (name: string, run: () => void) => unknown;
  };
}

export interface DescribeOptions {
  /** Cases to run; default all. For a second way of answering it is enough to run those whose handler answers something of its own. */
  readonly only?: (one: Case, file: CaseFile) => boolean;
}

/**
 * Runs every case over real sockets against the server that `target` starts. A case that this server cannot show is skipped, with
 * the reason in its name; which those are, `target.lacks` says and nothing else.
 *
 * ```ts
 * import { describe, it } from "node:test";
 * describeAdapter(target, { describe, it });
 * ```
 */
export function describeAdapter(
  target: SocketTarget,
  { describe, it }: TestRunner,
  { only = () => true }: DescribeOptions = {},
): void {
  for (const { path, file } of caseFiles()) {
    const cases = file.cases.filter((one) => only(one, file));
    if (cases.length === 0) continue;
    describe(`${target.name}: ${path}`, () => {
      for (const one of cases) {
        const why = whyNotOverSockets(file, one, target);
        if (why !== undefined) it.skip(`${one.name} (${why})`, () => undefined);
        else {
          it(one.name, async () => {
            const wrong = await runOverSockets(file, one, target);
            if (wrong.length > 0) throw new Error(wrong.join("\n"));
          });
        }
      }
    });
  }
}
