// `npm run bench`: prints what a decision costs beside what it is held against. `--short` proves that it works and
// measures nothing worth quoting.
import { cpus } from "node:os";
import { decision } from "./decision.mjs";
import { limitsInMemory } from "./limits-memory.mjs";
import { limitsOnRedis } from "./limits-redis.mjs";

const short = process.argv.includes("--short");
console.log(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model.trim()}\n`);

const results = [await decision({ short })];
for (const { title, rows, notes } of results) {
  console.log(`## ${title}\n\n| what | Gatehouse | by hand | ratio |\n| --- | --- | --- | --- |`);
  for (const [what, a, b, ratio] of rows) {
    console.log(
      `| ${what} | ${(a / 1000).toFixed(2)} µs | ${(b / 1000).toFixed(2)} µs | ${ratio.toFixed(2)} |`,
    );
  }
  console.log(`\n${notes.map((note) => `- ${note}`).join("\n")}\n`);
}
for (const measure of [limitsInMemory, limitsOnRedis]) {
  const { title, ratios, notes } = await measure({ short });
  console.log(`## ${title}\n`);
  if (ratios.length > 0) console.log("| what | seen | target |\n| --- | --- | --- |");
  for (const row of ratios) console.log(`| ${row.join(" | ")} |`);
  console.log(`\n${notes.map((note) => `- ${note}`).join("\n")}\n`);
}
// A promise on the warm path is a defect, not a figure.
if (results.some(({ promises }) => promises > 0)) process.exitCode = 1;
