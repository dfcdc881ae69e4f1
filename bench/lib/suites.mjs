// Suites by the name of their file. Each runs in a process of its own: what one made hot, or left on the heap, must not
// flatter or burden the next.
import { fork } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What takes longer does not run, it hangs. */
const PATIENCE_MS = 600_000;
const folder = new URL("../suites/", import.meta.url);

export const suiteNames = () =>
  readdirSync(folder)
    .filter((file) => file.endsWith(".mjs"))
    .map((file) => file.slice(0, -".mjs".length))
    .sort();

/** @returns what the suite's `run` gave, with its title; one that threw has failed, and says why */
export async function runSuite(name, { short }) {
  const child = fork(fileURLToPath(new URL("suite-process.mjs", import.meta.url)), [name], {
    execArgv: ["--expose-gc"],
    env: { ...process.env, GATEHOUSE_BENCH_SHORT: short ? "1" : "" },
  });
  let told;
  child.on("message", (message) => void (told = message));
  const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  const [code, signal] = await once(child, "exit");
  clearTimeout(timer);
  const { title = name, result, error } = told ?? {};
  const nothing = { tables: [], targets: [], notes: [] };
  if (result === undefined)
    return { name, title, ...nothing, failed: [error ?? `ended with ${signal ?? code} before it was done`] };
  return { name, title, ...result };
}
