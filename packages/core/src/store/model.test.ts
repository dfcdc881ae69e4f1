/** The store in memory against what a store is. */
import fc from "fast-check";
import { describe, it } from "vitest";
import { describeStore } from "../testing/properties/store.js";
import { memory } from "./store.test-support.js";

const runs = Number(process.env["GATEHOUSE_RUNS"] ?? 150);

describeStore(
  {
    name: "memory",
    open: async () => {
      const store = memory();
      return { store, close: () => store.close() };
    },
  },
  { describe, it, fc, runs },
);
