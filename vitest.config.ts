import { defineConfig } from "vitest/config";

/**
 * Tests read the sources, so none of them waits for a build. With GATEHOUSE_DIST=1 the same tests meet the
 * built packages instead, through the `exports` that a user meets: a bundler that dropped a guard is caught there.
 */
const fromDist = process.env["GATEHOUSE_DIST"] === "1";
const file = (path: string): string => new URL(path, import.meta.url).pathname;

const sources = [
  { find: /^#platform$/, replacement: file("packages/core/src/platform/node.ts") },
  { find: /^@gatehouse\/core$/, replacement: file("packages/core/src/index.ts") },
  {
    find: /^@gatehouse\/core\/(node|conformance|testing)$/,
    replacement: file("packages/core/src/") + "$1/index.ts",
  },
  {
    find: /^@gatehouse\/core\/testing\/properties$/,
    replacement: file("packages/core/src/testing/properties/index.ts"),
  },
  {
    find: /^@gatehouse\/(node-http|express|fastify|fetch)$/,
    replacement: file("packages/adapter-") + "$1/src/index.ts",
  },
  { find: /^gatehouse$/, replacement: file("packages/cli/src/index.ts") },
];

const ignored = ["**/node_modules/**", "packages/*/dist/**"];
/** Files that put something else in a module's place. */
const MOCKING = "packages/core/src/platform/html-trust.test.ts";
const common = { testTimeout: 20_000 };

/** Unit tests read and change nothing that is shared, so a worker loads the sources once for all of them. */
const together = {
  extends: true as const,
  test: {
    ...common,
    name: "units",
    include: ["packages/*/{src,test}/**/*.test.ts"],
    exclude: [...ignored, MOCKING],
    isolate: false,
  },
};

/** What patches a framework or speaks for a process has a world of its own. */
const apart = {
  extends: true as const,
  test: {
    ...common,
    name: fromDist ? "dist" : "whole",
    include: fromDist
      ? ["packages/adapter-*/{src,test}/**/*.test.ts", "tests/**/*.test.ts"]
      : [MOCKING, "{examples,bench,tests,scripts}/**/*.test.ts"],
    // The model judges rules, and a bundler changes none of them: the cases would show what it drops.
    exclude: [...ignored, ...(fromDist ? ["tests/model/*.test.ts"] : [])],
  },
};

export default defineConfig({
  resolve: { alias: fromDist ? [] : sources },
  test: {
    projects: fromDist ? [apart] : [together, apart],
    // By default one core is left idle: half of the machine where there are two.
    maxWorkers: "100%",
    coverage: {
      provider: "v8",
      include: ["packages/*/src/**/*.ts"],
      exclude: ["**/*.test.ts", "**/*.test-d.ts", "**/*.test-support.ts", "**/*.gen.ts"],
      reporter: ["text-summary", "json-summary"],
      reportsDirectory: "coverage",
    },
  },
});
