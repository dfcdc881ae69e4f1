import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Tests read the sources, so none of them waits for a build. With GATEHOUSE_DIST=1 the same tests meet the
 * built packages instead, through the `exports` that a user meets: a bundler that dropped a guard is caught there.
 */
const fromDist = process.env["GATEHOUSE_DIST"] === "1";
const file = (path: string): string => new URL(path, import.meta.url).pathname;

const sources = [
  { find: /^#platform$/, replacement: file("packages/core/src/platform/node.ts") },
  { find: /^#libraries$/, replacement: file("packages/core/src/platform/node-libraries.ts") },
  { find: /^@gatehouse\/core$/, replacement: file("packages/core/src/index.ts") },
  {
    find: /^@gatehouse\/core\/(analysis|node|conformance|testing)$/,
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
  { find: /^@gatehouse\/redis$/, replacement: file("packages/store-redis/src/index.ts") },
  { find: /^gatehouse$/, replacement: file("packages/cli/src/index.ts") },
];

/**
 * What takes long begins first, or one worker ends with it while the others have nothing left. Vitest knows durations from the run before;
 * where there was none it goes by the size of files, and most of these are small.
 */
const LONG = [
  /\/(?:node-http|fetch|fastify|express)\/conformance/,
  /\/differential/,
  /\/probe-proofs|\/planted-faults/,
  /\/store-redis\/test\/(?:faults|fleet|log)/,
  /\/diff\/|\/cases\/core|\/model\/|\/node-html|\/reload-under-load|\/testing\/arbitraries/,
  /\/language\.property|\/linear-regexp|\/compile-routes|\/mutate\.test|\/probe\.test|\/settings\.test/,
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const names = [...new Set(sorted.map(({ project }) => project.name))];
    // Those of one project stay together, as a worker is given one project's.
    const place = ({ project, moduleId }: TestSpecification): number => {
      const long = LONG.findIndex((path) => path.test(moduleId));
      return names.indexOf(project.name) * 100 + (long < 0 ? LONG.length : long);
    };
    return sorted.sort((a, b) => place(a) - place(b));
  }
}

/** Asked for on the command line: `--sequence.shuffle.files`. */
const ordered = process.argv.some((argument) => argument.startsWith("--sequence"));

const ignored = ["**/node_modules/**", "packages/*/dist/**"];
/** Files that put something else in a module's place. */
const MOCKING = "packages/core/src/platform/html-trust.test.ts";
/** Nothing of it takes that long but on a machine that does much else: the first answer that is sanitized waits for a DOM to be loaded. */
const common = { testTimeout: 60_000 };
/** Start servers of their own, and break them. */
const SERVERS = "packages/store-redis/test/**";

/**
 * A worker loads the code once for all of its files, and what it compiled for one stays warm for the next. So a test puts back what
 * it changes of the process: an environment variable, a timer, a global.
 */
const together = (name: string, include: readonly string[], exclude: readonly string[] = []) => ({
  extends: true as const,
  test: {
    ...common,
    name,
    include: [...include],
    exclude: [...ignored, ...exclude],
    isolate: false,
    // As a user meets them, by Node's own loader.
    server: { deps: { external: [/\/packages\/[^/]+\/dist\//] } },
  },
});

/** Real frameworks, real sockets, real processes: what users meet, so `npm test` runs them on the built packages. */
const SERVED = "tests/{cli,express,fastify,fetch,koa,node-http}/**/*.test.ts";

/** What is put in a module's place would be met by every file after it. */
const mocking = {
  extends: true as const,
  test: { ...common, name: "mocking", include: [MOCKING], exclude: ignored },
};

const servers = {
  extends: true as const,
  test: {
    ...common,
    // Most of it waits: for servers to start, to hang, to come back.
    testTimeout: 60_000,
    maxConcurrency: 6,
    hookTimeout: 60_000,
    name: "servers",
    include: [`${SERVERS}/*.test.ts`],
    exclude: ignored,
  },
};

const projects = fromDist
  ? [together("dist", [SERVED, "tests/public-api.test.ts"])]
  : [
      together("units", ["packages/*/{src,test}/**/*.test.ts"], [MOCKING, SERVERS]),
      together("whole", ["{examples,bench,tests,scripts}/**/*.test.ts"], [SERVED]),
      together("served", [SERVED]),
      mocking,
      servers,
    ];

export default defineConfig({
  resolve: { alias: fromDist ? [] : sources },
  test: {
    projects,
    // By default one core is left idle: half of the machine where there are two.
    maxWorkers: "100%",
    ...(ordered ? {} : { sequence: { sequencer: LongFirst } }),
    coverage: {
      provider: "v8",
      include: ["packages/*/src/**/*.ts"],
      exclude: ["**/*.test.ts", "**/*.test-d.ts", "**/*.test-support.ts", "**/*.gen.ts"],
      reporter: ["text-summary", "json-summary"],
      reportsDirectory: "coverage",
    },
  },
});
