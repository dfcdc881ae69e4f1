// The examples keep their promise: every line that a server of the orders API prints, run as printed by a shell, gives
// the status beside it, on every server alike; the workflow for policies stops what it is meant to stop; and what is
// logged is what the example shows.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "./lib/free-port.mjs";

const root = new URL("..", import.meta.url).pathname;
const named = process.argv.slice(2);
const examples = readdirSync(join(root, "examples")).filter(
  (name) => named.length === 0 || named.includes(name),
);
const having = (file) => examples.filter((name) => existsSync(join(root, "examples", name, file)));
const servers = having("server.mjs");
const rehearsals = having("rehearse.mjs");
const shows = having("show.mjs");

/** Differs from run to run: ids, times, digests, durations. */
const OF_ITS_OWN =
  /(?<=")(?:[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z|[\da-f]{64})(?=")|(?<="(?:time|decided|total)":)\d[\d.e-]*/g;

/** What differs from the promise, in words. */
async function tryOut(name) {
  const server = spawn("npm", ["start", "--silent", "-w", `examples/${name}`], {
    cwd: root,
    env: { ...process.env, PORT: String(await freePort()), INIT_CWD: root },
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });

  let printed = "";
  server.stdout.setEncoding("utf8");
  for await (const chunk of server.stdout.iterator({ destroyOnReturn: false })) {
    printed += chunk;
    if (printed.includes("Ctrl-C ends it.")) break;
  }
  server.stdout.resume();

  const tries = [...printed.matchAll(/^# (\d{3}): (.*)\n(.*)$/gm)];
  const wrong = [];
  for (const [, status, about, line] of tries) {
    const { stdout } = spawnSync("sh", ["-c", line], { cwd: root, encoding: "utf8" });
    const got = [...stdout.matchAll(/^HTTP\/(?:1\.1|2) (\d{3})/gm)].at(-1)?.[1];
    if (got !== status) wrong.push(`${about}: expected ${status}, got ${got}\n  ${line}\n${stdout}`);
  }

  if (!server.stdout.closed) {
    // As Ctrl-C does: the signal goes to npm and to the server alike.
    const ended = once(server.stdout, "close");
    process.kill(-Number(server.pid), "SIGINT");
    await ended;
  }

  if (tries.length < 20) wrong.push(`only ${tries.length} requests were printed:\n${printed}`);
  else console.log(`${name}: ${tries.length} printed requests, and Ctrl-C ended the server`);
  return wrong;
}

/** What the rehearsal of a workflow found. */
function rehearse(name) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "examples", name, "rehearse.mjs")],
    {
      cwd: root,
      encoding: "utf8",
    },
  );
  const rows = stdout.match(/^✔ /gm)?.length ?? 0;
  if (status !== 0 || rows < 10) return [`${rows} changes met their step\n${stdout}${stderr}`];
  const readme = readFileSync(join(root, "examples", name, "README.md"), "utf8");
  if (!readme.includes(stdout)) return [`its README shows another output than\n${stdout}`];
  console.log(`${name}: ${rows} changes, each stopped at its step of the workflow`);
  return [];
}

/** What an example logs otherwise than its README says. */
function show(name) {
  const { status, stdout, stderr } = spawnSync("npm", ["start", "--silent", "-w", `examples/${name}`], {
    cwd: root,
    encoding: "utf8",
  });
  const lines = stdout.trimEnd().replaceAll(OF_ITS_OWN, "…");
  const readme = readFileSync(join(root, "examples", name, "README.md"), "utf8");
  if (status !== 0 || lines === "" || stderr !== "" || !readme.includes(`\n${lines}\n`))
    return [`exit ${status}, and its README shows other lines than\n${lines}\n${stderr}`];
  console.log(`${name}: the lines that its README shows`);
  return [];
}

const failures = [];
for (const name of shows) {
  for (const difference of show(name)) failures.push(`${name}: ${difference}`);
}
for (const name of rehearsals) {
  for (const difference of rehearse(name)) failures.push(`${name}: ${difference}`);
}
for (const name of servers) {
  for (const difference of await tryOut(name)) failures.push(`${name}: ${difference}`);
}
if (servers.length + rehearsals.length + shows.length === 0)
  failures.push(`no such example: ${named.join(", ")}`);
if (failures.length > 0) {
  console.error(failures.join("\n"));
  process.exit(1);
}
