// Preloaded with `--import`: every module that the process loads, ES or CommonJS, is written to GATEHOUSE_LOADED.
import { appendFileSync } from "node:fs";
import { createRequire, register } from "node:module";

const log = process.env.GATEHOUSE_LOADED;

if (log !== undefined) {
  const hooks = `
    import { appendFileSync } from "node:fs";
    export async function load(url, context, next) {
      appendFileSync(${JSON.stringify(log)}, url + "\\n");
      return next(url, context);
    }`;
  register(`data:text/javascript,${encodeURIComponent(hooks)}`);
  process.on("exit", () => {
    for (const path of Object.keys(createRequire(import.meta.url).cache))
      appendFileSync(log, `file://${path}\n`);
  });
}
