/** Every case of every room, on the pure core. */
import { caseFiles, closeCaseFile, runOnCore } from "@gatehouse/core/conformance";
import { describe, expect, it } from "vitest";
import { beginningFirst, waits } from "../servers/waiting.js";

const early = beginningFirst();

describe.each(caseFiles().map(({ path, file }) => [path, file] as const))("%s", (_path, file) => {
  it("is closed-world", () => {
    expect(() => closeCaseFile(file)).not.toThrow();
  });

  const cases = file.cases.filter((one) => !waits(one));
  it.each(cases.map((one) => [one.name, one] as const))("%s", async (_name, one) => {
    expect(await runOnCore(file, one)).toEqual([]);
  });
});

// Behind all others, which go on while these wait.
for (const { path, file } of caseFiles()) {
  for (const one of file.cases.filter(waits))
    early.it(`${path}: ${one.name}`, async () => expect(await runOnCore(file, one)).toEqual([]));
}

it("there are at least 300 cases", () => {
  const count = caseFiles().reduce((sum, { file }) => sum + file.cases.length, 0);
  expect(count).toBeGreaterThanOrEqual(300);
});
