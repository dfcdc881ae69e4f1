// The example keeps its promise: every line that it prints, run as printed by a shell, gives the status beside it.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

const root = new URL("..", import.meta.url).pathname;

/** The example's policy names its port, so it has to be known beforehand. */
async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

const server = spawn("npm", ["start", "--silent", "-w", "examples/orders-node-http"], {
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
  const got = [...stdout.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].at(-1)?.[1];
  if (got !== status) wrong.push(`${about}: expected ${status}, got ${got}\n  ${line}\n${stdout}`);
}

if (!server.stdout.closed) {
  // As Ctrl-C does: the signal goes to npm and to the server alike.
  const ended = once(server.stdout, "close");
  process.kill(-Number(server.pid), "SIGINT");
  await ended;
}

if (tries.length < 20) wrong.push(`only ${tries.length} requests were printed:\n${printed}`);
if (wrong.length > 0) {
  console.error(wrong.join("\n"));
  process.exit(1);
}
console.log(`${tries.length} printed requests gave the printed status, and Ctrl-C ended the server`);
