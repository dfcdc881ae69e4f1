// The built @gatehouse/fetch on the runtimes that it is for: Bun, Deno and workerd, as npm ships them, fetched for the
// occasion, outside the lock. Each serves one policy, with the guard alone and in hono, and is asked over real sockets.
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { build } from "esbuild";
import { freePort } from "./lib/free-port.mjs";

const root = new URL("..", import.meta.url).pathname;
const temp = mkdtempSync(join(tmpdir(), "gatehouse-fetch-"));
const entries = join(temp, "app");
const PATIENCE_MS = 120_000;
const REQUEST_MS = 20_000;

const clerk = "clerk-key-0123456789abcdef0123456789abcdef";
const customer = "customer-key-0123456789abcdef0123456789ab";
const post = (path, body, headers) => ({
  method: "POST",
  path,
  body,
  headers: { "Content-Type": "application/json", ...headers },
});
const good = JSON.stringify({ sku: "TEA-0001", quantity: 2 });

/** What each runtime must answer. */
const asked = [
  { about: "open", path: "/health", status: 200, has: '{"ok":true}' },
  { about: "HEAD", method: "HEAD", path: "/health", status: 200 },
  { about: "no route", path: "/nowhere", status: 404 },
  { about: "no such method", ...post("/health", good), status: 405 },
  { about: "nobody", path: "/orders/1", status: 401 },
  {
    about: "projection",
    path: "/orders/1",
    headers: { "X-API-Key": customer },
    status: 200,
    has: '{"id":"1","sku":"TEA-0001"}',
  },
  { about: "role", ...post("/orders", good, { "X-API-Key": customer }), status: 403 },
  {
    about: "a schema, a role, a condition, a projection",
    ...post("/orders", good, { "X-API-Key": clerk }),
    status: 201,
    has: '{"id":"1","sku":"TEA-0001"}',
  },
  {
    about: "a body that does not fit",
    ...post("/orders", '{"sku":"tea","quantity":0}', { "X-API-Key": clerk }),
    status: 422,
  },
  { about: "no JSON", ...post("/orders", "{", { "X-API-Key": clerk }), status: 400 },
  { about: "an encoded slash", path: "/orders%2f1", status: 400 },
  { about: "a stream", path: "/stream", status: 200, has: "data: x\n\ndata: x\n\ndata: x\n\n" },
  {
    about: "an upload",
    ...post("/upload", "x".repeat(60_000), { "Content-Type": "text/plain" }),
    status: 200,
    has: "60000",
  },
  {
    about: "an upload that is too large",
    ...post("/upload", "x".repeat(70_000), { "Content-Type": "text/plain" }),
    status: 413,
  },
  {
    about: "an upload that does not say how large it is",
    ...post("/upload", "x".repeat(70_000), { "Content-Type": "text/plain" }),
    chunked: true,
    status: 413,
  },
];

const handshake = (path) =>
  [
    `GET ${path} HTTP/1.1`,
    "Host: 127.0.0.1",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "",
    "",
  ].join("\r\n");

/** The status of what a socket answers. */
async function statusOf(port, head) {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    socket.setTimeout(REQUEST_MS, () => socket.destroy());
    socket.write(head);
    let text = "";
    for await (const chunk of socket) {
      text += chunk.toString("latin1");
      if (text.includes("\r\n")) break;
    }
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
  } finally {
    socket.destroy();
  }
}

async function ask(port, { method = "GET", path, headers = {}, body, chunked = false }) {
  const init = { method, headers };
  if (body !== undefined) {
    init.body = chunked ? new Blob([body]).stream() : body;
    init.duplex = "half";
  }
  init.signal = AbortSignal.timeout(REQUEST_MS);
  const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** What differs from the promise, in words. */
async function judge(port) {
  const wrong = [];
  const ended = { admit: 0, refuse: 0 };
  for (const { about, status, has, ...request } of asked) {
    const answer = await ask(port, request).catch((error) => ({
      status: 0,
      headers: new Headers(),
      text: String(error),
    }));
    ended[status < 400 || status === 413 ? "admit" : "refuse"] += 1;
    if (answer.status !== status)
      wrong.push(`${about}: expected ${status}, got ${answer.status} ${answer.text}`);
    if (has !== undefined && answer.text !== has) wrong.push(`${about}: got ${answer.text}`);
    if (answer.text.includes("planted-secret")) wrong.push(`${about}: an undeclared field left`);
    if (answer.headers.get("x-content-type-options") !== "nosniff")
      wrong.push(`${about}: no header of the policy's`);
  }
  const cookies = (await ask(port, { path: "/cookies" })).headers.getSetCookie();
  if (cookies.join() !== "a=1,b=2") wrong.push(`cookies: got ${cookies.join()}`);
  const switched = await statusOf(port, handshake("/socket"));
  if (switched !== 101) wrong.push(`an upgrade that the route allows: got ${switched}`);
  const refused = await statusOf(port, handshake("/health"));
  if (refused !== 403) wrong.push(`an upgrade that no route allows: got ${refused}`);
  const tally = JSON.parse((await ask(port, { path: "/tally" })).text);
  // A stated length that is too large is refused without the handler; so are 403 for the upgrade, and 200 for cookies and 101.
  const sum = tally.admit + tally.refuse + tally.answer + tally.aborted;
  if (sum !== asked.length + 3)
    wrong.push(`${sum} exchanges ended, of ${asked.length + 3}: ${JSON.stringify(tally)}`);
  return wrong;
}

/** A folder like a user's. Here the configurations of TypeScript would lead Bun and esbuild to the sources. */
function install() {
  cpSync(join(root, "tests/runtimes"), entries, { recursive: true });
  writeFileSync(join(entries, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const modules = join(entries, "node_modules");
  mkdirSync(join(modules, "@gatehouse"), { recursive: true });
  for (const name of readdirSync(join(root, "node_modules"))) {
    if (name !== "@gatehouse" && !name.startsWith("."))
      symlinkSync(join(root, "node_modules", name), join(modules, name));
  }
  for (const [name, folder] of [
    ["core", "core"],
    ["fetch", "adapter-fetch"],
  ]) {
    const to = join(modules, "@gatehouse", name);
    cpSync(join(root, "packages", folder, "dist"), join(to, "dist"), { recursive: true });
    cpSync(join(root, "packages", folder, "package.json"), join(to, "package.json"));
  }
}

/** workerd takes one file and a configuration. Conditions as Cloudflare's own bundler sets them. */
async function workerConfig(mode, port) {
  const folder = join(temp, `worker-${mode}`);
  mkdirSync(folder);
  await build({
    entryPoints: [join(entries, "worker.js")],
    bundle: true,
    format: "esm",
    platform: "browser",
    conditions: ["workerd", "worker", "browser"],
    outfile: join(folder, "worker.js"),
    logLevel: "silent",
  });
  const config = join(folder, "config.capnp");
  writeFileSync(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "worker.js", esModule = embed "worker.js")],
    bindings = [(name = "MODE", text = "${mode}")],
    compatibilityDate = "2026-06-01",
  ))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);`,
  );
  return config;
}

const runtimes = {
  bun: { package: "bun@1.4.5", args: async () => ["bun", join(entries, "bun.js")] },
  deno: {
    package: "deno@2.9.5",
    args: async () => [
      "deno",
      "run",
      "--no-lock",
      "--allow-net=127.0.0.1",
      "--allow-env",
      "--allow-read",
      join(entries, "deno.js"),
    ],
  },
  workerd: {
    package: "workerd@1.20260730.1",
    args: async (mode, port) => ["workerd", "serve", await workerConfig(mode, port)],
  },
};

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => socket.end(() => resolve(true))).once("error", () => resolve(false));
  });
}

/** The port that it prints, or the one that it was told once that answers. */
async function listening(server, port) {
  let printed = "";
  server.stdout.setEncoding("utf8").on("data", (text) => (printed += text));
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const own = /^port (\d+)$/m.exec(printed)?.[1];
    if (own !== undefined) return Number(own);
    if (port !== undefined) {
      if (await accepts(port)) return port;
    }
    if (server.exitCode !== null || Date.now() > until) throw new Error(`it did not start: ${printed}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function prove(name, mode) {
  const runtime = runtimes[name];
  const port = name === "workerd" ? await freePort() : undefined;
  const args = ["-y", "-p", runtime.package, "--", ...(await runtime.args(mode, port))];
  const server = spawn("npx", args, {
    cwd: entries,
    env: { ...process.env, MODE: mode },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let errors = "";
  server.stderr.setEncoding("utf8").on("data", (text) => (errors += text));
  const gone = once(server, "close");
  try {
    const wrong = await judge(await listening(server, port));
    return wrong.length === 0 ? [] : [...wrong, errors];
  } catch (error) {
    return [String(error.stack), errors];
  } finally {
    // npx does not hand signals on: the whole group ends.
    if (server.exitCode === null) process.kill(-Number(server.pid), "SIGKILL");
    await gone;
  }
}

const named = process.argv.slice(2);
let failed = false;
install();
for (const name of Object.keys(runtimes)) {
  if (named.length > 0 && !named.includes(name)) continue;
  for (const mode of ["guard", "hono"]) {
    const wrong = await prove(name, mode);
    if (wrong.length === 0) console.log(`${runtimes[name].package}, ${mode}: ${asked.length + 4} requests`);
    else {
      failed = true;
      console.error(`${runtimes[name].package}, ${mode}:\n${wrong.join("\n")}`);
    }
  }
}
rmSync(temp, { recursive: true, force: true });
process.exit(failed ? 1 : 0);
