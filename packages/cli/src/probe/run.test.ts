/** What the command line may say. */

import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { ed25519Pair } from "../lib/key-pair.js";
import { main } from "../cli/main.js";
import type { Io } from "../cli/io.js";
import { UsageError } from "../cli/io.js";
// Loaded when it is called: here it is there before the clock of a test runs.
import "./run.js";

const { publicKey, privateKey } = ed25519Pair();
const PUBLIC_KEY = publicKey.export({ type: "spki", format: "pem" });
const PRIVATE_KEY = privateKey.export({ type: "pkcs8", format: "pem" });

const POLICY = {
  gatehouse: 1,
  name: "told",
  authenticators: {
    user: {
      type: "jwt",
      issuer: "https://id.test/",
      audience: "told",
      algorithms: ["ES256"],
      keys: { jwks: "keys.json" },
    },
    other: {
      type: "jwt",
      in: "cookie",
      name: "__Host-a",
      issuer: "https://id.test/",
      audience: "told",
      algorithms: ["ES256"],
      keys: { jwks: "keys.json" },
    },
    signer: {
      type: "http-signature",
      keys: ["a=b", "a%3Db", "c"].map((keyid) => ({
        keyid,
        id: keyid,
        algorithm: "ed25519",
        key: { pem: PUBLIC_KEY },
      })),
    },
  },
  transport: { https: "off" },
  routes: {
    "GET /signed": { authenticate: ["signer"], authorize: "authenticated" },
    "GET /": { authenticate: ["user"], authorize: "authenticated" },
  },
};

const FILES: Readonly<Record<string, unknown>> = {
  "policy.json": POLICY,
  "key.json": "canary-key",
  "signer=1.pem": PRIVATE_KEY,
  "nobody.json": { ann: { authenticator: "user", credential: "env:NOBODYS_TOKEN" } },
  "canary.json": { ann: { authenticator: "user", credential: "canary credential" } },
  "half.json": { ann: { authenticator: "user" } },
};

async function told(args: readonly string[]): Promise<{ readonly code: number; readonly err: string }> {
  let err = "";
  const io: Io = {
    out: () => expect.unreachable("nothing is to be printed"),
    err: (text) => void (err += text),
    colour: false,
    env: {},
    now: () => 0,
    watched: false,
    typed: false,
    read: (path) => {
      const content = FILES[path];
      if (content === undefined) return Promise.reject(new UsageError(`\`${path}\` cannot be read`));
      return Promise.resolve(typeof content === "string" ? content : JSON.stringify(content));
    },
    lines: () => expect.unreachable("nothing is read line by line"),
    exists: () => Promise.resolve(false),
    write: () => expect.unreachable("nothing is to be written"),
    writeSecret: () => expect.unreachable("nothing is to be written"),
  };
  const code = await main(["probe", ...args, "--policy", "policy.json"], io);
  return { code, err };
}

it.each([
  ["signer=key.json", "its keys are `a%3Db`, `a%253Db`, `c`"],
  ["signer:a=b=signer=1.pem", "`b=signer=1.pem` cannot be read"],
  ["signer:a%3Dc=signer=1.pem", "`signer` has no key `a=c`\n  help: did you mean `a=b`?"],
  ["signer:b%3Da=key.json", "`signer` has no key `b=a`"],
])("a key id may hold `=`: --key %s", async (key, problem) => {
  const server = createServer((_request, response) => response.end()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const { code, err } = await told([`http://127.0.0.1:${port}`, "--key", key]);
  server.close();
  expect(err).toContain(problem);
  expect(code).toBe(2);
});

it.each(["a%3Db", "a%253Db", "a%3db"])("a key is named by its id: %s", async (id) => {
  const signing = ["--key", `signer:${id}=signer=1.pem`];
  const { err } = await told([NOWHERE, ...signing, ...signing]);
  expect(err).toContain(`two keys are given for \`signer:${id === "a%253Db" ? "a%3Db" : "a=b"}\``);
});

const NOWHERE = "http://127.0.0.1:1";

it.each([
  [[], "`probe` needs the URL of a server"],
  [[NOWHERE], "there is no connection to `http://127.0.0.1:1` (ECONNREFUSED)"],
  [[NOWHERE, "--rate", "0"], "`--rate` is no whole number from 1 to 10000"],
  [[NOWHERE, "--max-requests", "1e3"], "`--max-requests` is no whole number from 1 to 1000000"],
  [[NOWHERE, "--ip", "192.0.2.1"], "there is no connection to `http://127.0.0.1:1` (ECONNREFUSED)"],
  [[NOWHERE, "--ip", "nonsense"], "`--ip` is no IP address"],
  [[NOWHERE, "-H", "host: a.test"], "`--host` says the host, not a header"],
  [[NOWHERE, "-H", "X-A: 1", "-H", "x-a: 2"], "the header `x-a` is given twice"],
  [[NOWHERE, "-H", "X-A: 1", "-H", "X-A: 2"], "the header `x-a` is given twice"],
  [[NOWHERE, "--wait", "soon"], "`--wait` is no duration"],
  [[NOWHERE, "--param", "id"], "`--param` is no `NAME=VALUE`"],
  [[NOWHERE, "--only", "path"], "did you mean `paths`?"],
  [[NOWHERE, "--route", "GET /x"], "the policy has no route `GET /x`"],
  [[NOWHERE, "--key", "key.json"], "`--key` does not say whose it is"],
  [[NOWHERE, "--key", "usr=key.json"], "did you mean `user`?"],
  [[NOWHERE, "--key", "user=none.json"], "`none.json` cannot be read"],
  [[NOWHERE, "--key", "user=key.json", "--key", "user=key.json"], "two keys are given for `user`"],
  [[NOWHERE, "--cert-key", "key.json"], "`--cert-key` stands without `--cert`"],
  [[NOWHERE, "--cert", "none.pem"], "`none.pem` cannot be read"],
  [[NOWHERE, "--cert", "key.json"], "`--cert` and `--cert-key` hold no certificate and private key in PEM"],
  [[NOWHERE, "--people", "half.json"], "`ann` in `half.json` lacks `authenticator` or `credential`"],
  [[NOWHERE, "--people", "key.json"], "`key.json` is no JSON"],
  [[NOWHERE, "--people", "nobody.json"], "the credential of `ann` is not there"],
  [[NOWHERE, "--people", "canary.json"], "the credential of `ann` cannot stand in a header field"],
  [[NOWHERE, "--json", "--format", "pretty"], "`--json` contradicts `--format pretty`"],
])("exits with 2 for %j", async (args, problem) => {
  const { code, err } = await told(args);
  expect(err).toContain(problem);
  expect(err).not.toContain("canary-key");
  expect(err).not.toContain("canary credential");
  expect(code).toBe(2);
});
