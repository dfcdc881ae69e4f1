// Generates what is said once in the schema fragments of the policy language and needed in three forms:
// `policy.schema.json` for editors, types for TypeScript, and rules that judge a document where code generation is refused.
// `--check` writes nothing and fails when a generated file is stale.
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { assemble } from "./gen/assemble.mjs";
import { editorSchema } from "./gen/editor-schema.mjs";
import { policyTypes } from "./gen/policy-types.mjs";
import { shapeRules } from "./gen/shape-rules.mjs";

const core = new URL("../packages/core/", import.meta.url).pathname;
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

const files = {
  "policy.schema.json": `${JSON.stringify(editorSchema(language), null, 2)}\n`,
  "src/model/policy.gen.ts": await policyTypes(language),
  "src/compile/shape-rules.gen.ts": shapeRules(language),
};

const stale = Object.entries(files).filter(([path, text]) => {
  const file = join(core, path);
  return !existsSync(file) || readFileSync(file, "utf8") !== text;
});
if (process.argv.includes("--check")) {
  for (const [path] of stale) console.error(`packages/core/${path} is stale: run \`npm run gen\``);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  for (const [path, text] of stale) writeFileSync(join(core, path), text);
  for (const [path] of stale) console.log(`wrote packages/core/${path}`);
}
