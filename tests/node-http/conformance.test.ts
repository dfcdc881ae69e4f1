/** Every case of the core's, over real sockets, however a handler writes its answer. */
import { readFileSync, readdirSync } from "node:fs";
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
  .sort();

describe.each([nodeHttpTarget("end"), nodeHttpTarget("send"), nodeHttpTarget("pieces")])(
  "$name",
  (target) => {
    describe.each(files)("%s", (path) => {
      const file = JSON.parse(readFileSync(join(sources, path), "utf8")) as CaseFile;
      closeCaseFile(file);
      for (const one of file.cases.filter(takes)) {
        const why = whyNotOverSockets(one, target);
        if (why === undefined) {
          it(one.name, async () => {
            expect(await runOverSockets(file, one, target)).toEqual([]);
          });
        } else it.skip(`${one.name} (${why})`);
      }
    });
  },
);
