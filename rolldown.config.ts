import { defineConfig, type ConfigExport, type RolldownOptions } from "rolldown";

const core = "packages/core/src";
const cli = "packages/cli/src";
const others = ["adapter-node-http", "adapter-express", "adapter-fastify", "adapter-fetch", "store-redis"];

type Groups = readonly { readonly name: string; readonly test: RegExp; readonly priority: number }[];

/** JavaScript only: TypeScript 7 has no API that a bundler could call, so `tsc -b` writes the declarations. */
function packageOf(
  folder: string,
  input: Readonly<Record<string, string>>,
  groups: Groups = [],
): RolldownOptions {
  return {
    input: { ...input },
    // Packages stay outside, or the core would carry its dependencies inside. `node:` stays as it is written.
    external: /^(?![./]|\w:)/,
    platform: "neutral",
    tsconfig: `packages/${folder}/tsconfig.build.json`,
    transform: { target: "es2022" },
    output: {
      dir: `packages/${folder}/dist`,
      format: "esm",
      sourcemap: true,
      chunkFileNames: "[name]-[hash].js",
      // One sign beyond Latin-1 would make V8 hold and scan a whole file with two bytes a character.
      charset: "ascii",
      // What is loaded is read and scanned at every start. Functions and classes keep their names, so that a stack says where it was
      // without a map; names of variables go.
      minify: {
        compress: { keepNames: { function: true, class: true } },
        mangle: { toplevel: false, keepNames: { function: true, class: true } },
        codegen: { removeWhitespace: true },
      },
      codeSplitting: { groups: [...groups] },
    },
    logLevel: "warn",
  };
}

/**
 * What importing the core reaches is in two files, as each costs some of a start: what Node's half of the platform needs too, and all
 * else. By themselves bundlers make a file of every set of entries that share a module.
 */
const coreGroups: Groups = [
  {
    name: "base",
    test: /packages\/core\/src\/(?:lib|errors|ports)\/|platform\/(?:clock|key-rules)\.ts$/,
    priority: 2,
  },
  { name: "core", test: /packages\/core\/src\/index\.ts$/, priority: 1 },
];

const config: ConfigExport = defineConfig([
  packageOf(
    "core",
    {
      index: `${core}/index.ts`,
      "analysis/index": `${core}/analysis/index.ts`,
      "node/index": `${core}/node/index.ts`,
      "conformance/index": `${core}/conformance/index.ts`,
      "testing/index": `${core}/testing/index.ts`,
      "testing/properties/index": `${core}/testing/properties/index.ts`,
      "platform/node": `${core}/platform/node.ts`,
      "platform/portable": `${core}/platform/portable.ts`,
      "platform/node-libraries": `${core}/platform/node-libraries.ts`,
      "platform/portable-libraries": `${core}/platform/portable-libraries.ts`,
    },
    coreGroups,
  ),
  packageOf("cli", {
    index: `${cli}/index.ts`,
    bin: `${cli}/bin.ts`,
    "mutate-worker": `${cli}/mutate/worker.ts`,
  }),
  ...others.map((folder) => packageOf(folder, { index: `packages/${folder}/src/index.ts` })),
]);

export default config;
