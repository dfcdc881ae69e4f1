import { defineConfig, type Options } from "tsup";

/** JavaScript only: TypeScript 7 has no API that a bundler could call, so `tsc -b` writes the declarations. */
const common: Options = {
  format: "esm",
  target: "es2022",
  platform: "neutral",
  dts: false,
  clean: false,
  sourcemap: true,
  splitting: true,
  treeshake: false,
  silent: true,
  // What is loaded is read and scanned at every start. Names stay, so that a stack says where it was without a map.
  minifyWhitespace: true,
  minifySyntax: true,
  // Without the next two, core would carry its dependencies inside and `node:fs` would become `fs`,
  // which no worker check could tell from a package of that name.
  skipNodeModulesBundle: true,
  removeNodeProtocol: false,
  external: [/^#/, /^@gatehouse\//],
};

const core = "packages/core";
const cli = "packages/cli";
const others = ["adapter-node-http", "adapter-express", "adapter-fastify", "adapter-fetch", "store-redis"];

export default defineConfig([
  {
    ...common,
    entry: {
      index: `${core}/src/index.ts`,
      "analysis/index": `${core}/src/analysis/index.ts`,
      "node/index": `${core}/src/node/index.ts`,
      "conformance/index": `${core}/src/conformance/index.ts`,
      "testing/index": `${core}/src/testing/index.ts`,
      "testing/properties/index": `${core}/src/testing/properties/index.ts`,
      "platform/node": `${core}/src/platform/node.ts`,
      "platform/portable": `${core}/src/platform/portable.ts`,
      "platform/node-libraries": `${core}/src/platform/node-libraries.ts`,
      "platform/portable-libraries": `${core}/src/platform/portable-libraries.ts`,
    },
    outDir: `${core}/dist`,
    tsconfig: `${core}/tsconfig.build.json`,
  },
  {
    ...common,
    entry: {
      index: `${cli}/src/index.ts`,
      bin: `${cli}/src/bin.ts`,
      "mutate-worker": `${cli}/src/mutate/worker.ts`,
    },
    outDir: `${cli}/dist`,
    tsconfig: `${cli}/tsconfig.build.json`,
  },
  ...others.map((name): Options => {
    const folder = `packages/${name}`;
    return {
      ...common,
      entry: { index: `${folder}/src/index.ts` },
      outDir: `${folder}/dist`,
      tsconfig: `${folder}/tsconfig.build.json`,
    };
  }),
]);
