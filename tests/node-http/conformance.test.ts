/** Every case of the core's, over real sockets, however a handler writes its answer. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  closeCaseFile,
  runOverSockets,
  stepsOf,
  whyNotOverSockets,
  type Case,
  type CaseFile,
} from "@gatehouse/core/conformance";
import { nodeHttpTarget } from "./target.js";

const sources = fileURLToPath(new URL("../../packages/core/src", import.meta.url));

const files = readdirSync(sources, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith("cases.json"))
  .sort()
  .map((path) => ({ path, file: JSON.parse(readFileSync(join(sources, path), "utf8")) as CaseFile }));

/** The ways of writing differ only where the handler answers something of its own. */
const ways = [
  { target: nodeHttpTarget("send"), takes: () => true },
  { target: nodeHttpTarget("end"), takes: answers },
  { target: nodeHttpTarget("pieces"), takes: answers },
];

function answers(one: Case): boolean {
  return stepsOf(one).some(({ answer }) => answer !== undefined);
}

describe.each(files.map(({ path, file }) => [path, file] as const))("%s", (_path, file) => {
  it("says only what a case may say", () => {
    expect(() => closeCaseFile(file)).not.toThrow();
  });

  const suites = ways
    .map(({ target, takes }) => ({ target, cases: file.cases.filter(takes) }))
    .filter(({ cases }) => cases.length > 0)
    .map(({ target, cases }) => [target.name, target, cases] as const);

  describe.each(suites)("%s", (_name, target, cases) => {
    const reasoned = cases.map((one) => [one.name, one, whyNotOverSockets(file, one, target)] as const);

    it.each(reasoned.filter(([, , why]) => why === undefined))("%s", async (_name, one) => {
      expect(await runOverSockets(file, one, target)).toEqual([]);
    });
    // oxlint-disable-next-line vitest/no-disabled-tests -- each skip says its reason in its name
    it.skip.each(
      reasoned.filter(([, , why]) => why !== undefined).map(([name, , why]) => [name, why] as const),
    )("%s (%s)", () => undefined);
  });
});
