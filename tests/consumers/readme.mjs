// The README's sample, taken from its text and run as a reader would: two files, one secret, one request.
// Only the port differs, because 8080 may be taken where this runs.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout } from "node:timers/promises";

const readme = readFileSync(process.argv[2], "utf8");

/** The fenced block under the line that names a file. */
function sample(file) {
  const text = new RegExp("^`" + file.replace(".", "\\.") + "`:\n\n```\\w+\n([^]*?)^```", "m").exec(
    readme,
  )?.[1];
  assert.ok(text !== undefined, `the README has no sample ${file}`);
  return text;
}

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

const secret = randomBytes(32).toString("base64url");

function tokenOf(sub) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: "https://id.example.com/", aud: "notes", sub, iat: now, exp: now + 60 };
  const input = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}

const port = await freePort();
const server = sample("server.mjs");
assert.match(server, /\.listen\(8080\)/);
writeFileSync("policy.json", sample("policy.json"));
writeFileSync("server.mjs", server.replace(".listen(8080)", `.listen(${port})`));

const child = spawn(process.execPath, ["server.mjs"], {
  env: { ...process.env, TOKEN_SECRET: secret },
  stdio: ["ignore", "ignore", "pipe"],
});
let complaint = "";
child.stderr.setEncoding("utf8").on("data", (text) => (complaint += text));

/** Asks until somebody listens, or the server has given up. */
async function ask(path, token) {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  while (child.exitCode === null) {
    try {
      return await fetch(`http://127.0.0.1:${port}${path}`, { headers });
    } catch {
      await setTimeout(25);
    }
  }
  throw new Error(`the server ended with ${child.exitCode}: ${complaint}`);
}

try {
  const nobody = await ask("/people/ann/notes/1");
  assert.equal(nobody.status, 401);
  assert.equal((await nobody.json()).code, "unauthenticated");
  assert.equal((await ask("/people/ann/notes/1", tokenOf("bob"))).status, 403);
  // A comparison by prefix would let her in: her name is how his begins.
  assert.equal((await ask("/people/ann/notes/1", tokenOf("an"))).status, 403);
  const own = await ask("/people/ann/notes/1", tokenOf("ann"));
  assert.equal(own.status, 200);
  assert.deepEqual(await own.json(), { id: "1", text: "a note" });
} finally {
  child.kill();
}
assert.equal(complaint, "");
