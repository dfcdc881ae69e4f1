// Generates what is said once in the schema fragments of the policy language and needed in four forms: `policy.schema.json` for
// editors, types for TypeScript, rules that judge a document where code generation is refused, and the tables of the reference.
// `--check` writes nothing and fails when a generated file is stale.
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { assemble } from "./gen/assemble.mjs";
import { editorSchema } from "./gen/editor-schema.mjs";
import { htmlWorker } from "./gen/html-worker.mjs";
import { keyTables } from "./gen/key-tables.mjs";
import { policyTypes } from "./gen/policy-types.mjs";
import { shapeRules } from "./gen/shape-rules.mjs";

const root = new URL("..", import.meta.url).pathname;
const core = join(root, "packages/core");
const reference = join(root, "docs/policy.md");
const read = (path) => JSON.parse(readFileSync(join(core, path), "utf8"));

const kinds = readdirSync(join(core, "src/kinds"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => `src/kinds/${entry.name}/schema.json`)
  .filter((path) => existsSync(join(core, path)))
  .sort();
const language = assemble(
  read("src/compile/document.schema.json"),
  kinds.map((path) => [path, read(path)]),
);

// The format of policy tests is no part of the language, but said once in the same way.
const tests = assemble(read("src/testing/policy-test.schema.json"), []);
const testReference = join(root, "docs/testing.md");

const files = {
  [join(core, "policy.schema.json")]: `${JSON.stringify(editorSchema(language), null, 2)}\n`,
  [join(core, "src/model/policy.gen.ts")]: await policyTypes(language, "the policy language"),
  [join(core, "src/compile/shape-rules.gen.ts")]: shapeRules(language, "SHAPE_RULES", "./shape-rule.js"),
  [join(core, "src/platform/node-html-worker.gen.ts")]: await htmlWorker(
    join(core, "src/platform/node-html-worker.ts"),
  ),
  [reference]: await keyTables(language, reference, readFileSync(reference, "utf8")),
  [join(core, "policy-test.schema.json")]: `${JSON.stringify(editorSchema(tests), null, 2)}\n`,
  [join(core, "src/testing/policy-test.gen.ts")]: await policyTypes(tests, "policy tests"),
  [join(core, "src/testing/test-rules.gen.ts")]: shapeRules(tests, "TEST_RULES", "../compile/shape-rule.js"),
  [testReference]: await keyTables(tests, testReference, readFileSync(testReference, "utf8")),
};

const stale = Object.entries(files).filter(
  ([file, text]) => !existsSync(file) || readFileSync(file, "utf8") !== text,
);
if (process.argv.includes("--check")) {
  for (const [file] of stale) console.error(`${relative(root, file)} is stale: run \`npm run gen\``);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  for (const [file, text] of stale) writeFileSync(file, text);
  for (const [file] of stale) console.log(`wrote ${relative(root, file)}`);
}
