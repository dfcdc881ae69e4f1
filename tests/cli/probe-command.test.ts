/** `gatehouse probe` as a user runs it: a process of its own, against a server in this one. */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { join } from "node:path";
import { expect, it } from "vitest";
import { HANDED, HOST, ordersPolicy, serve, signingKey } from "./probe-servers.js";
import { FILES, proofsPolicy, serveProofs } from "./probe-proof-servers.js";
import { headed } from "./probe-plants.js";
import { commandUnderTest } from "./support.js";

const { run, folder, script } = commandUnderTest();

/** It waits for nothing, but a machine may be busy with other things. */
const PATIENT = { timeout: 120_000 };

/** Not `run`, which would keep the server from answering. */
async function ran(
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const child = spawn(process.execPath, [script(), "probe", ...args], {
    cwd: folder(),
    env: { PATH: process.env["PATH"] ?? "", ANN_TOKEN: HANDED.people?.["ann"]?.credential },
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, out, err };
}

function write(name: string, content: unknown): string {
  writeFileSync(join(folder(), name), typeof content === "string" ? content : JSON.stringify(content));
  return name;
}

const page = readFileSync(new URL("../../docs/cli.md", import.meta.url), "utf8");

it("prints what docs/cli.md shows, and nobody's credential", PATIENT, async () => {
  const [, line = "", shown = ""] =
    /^```sh\ngatehouse probe (http:\/\/localhost:8080 [^\n]+)\n```\n\n```text\n([^]*?)^```$/mu.exec(page) ??
    [];
  expect(shown).not.toBe("");
  const served = await serve(
    "express",
    ordersPolicy((draft) => {
      delete draft.routes["POST /orders"].authorize.scopes;
      delete draft.routes["GET /tenants/:tenant/orders/:id"].response.redact;
    }),
    { before: headed((response) => response.removeHeader("X-Content-Type-Options")) },
  );
  try {
    write("policy.jsonc", ordersPolicy());
    write("issuer.json", signingKey);
    const { credential: _credential, person } = HANDED.people?.["ann"] ?? {};
    write("people.json", { ann: { ...person, credential: "env:ANN_TOKEN" } });
    const words = line.replace("http://localhost:8080", served.url).split(" ");
    const { code, out, err } = await ran([...words, "--host", HOST, "--rate", "10000"]);
    expect(err).toBe("");
    expect(out.replaceAll(served.url, "http://localhost:8080").replaceAll(HOST, "localhost:8080")).toBe(
      shown,
    );
    expect(code).toBe(1);
    expect(out).not.toMatch(/eyJ[\w-]{8}/u);
  } finally {
    await served.close();
  }
});

it("prints what docs/cli.md shows of proofs, and nothing that could be used", PATIENT, async () => {
  const [, line = "", shown = ""] =
    /^```sh\ngatehouse probe (https:\/\/localhost:8443 [^\n]+)\n```\n\n```text\n([^]*?)^```$/mu.exec(page) ??
    [];
  const served = await serveProofs(
    proofsPolicy((draft) => {
      draft.authenticators.dpop.senderConstrained = { type: "dpop", window: "1h" };
      draft.authenticators.signer.components = ["@method"];
      draft.transport = { trust: { peers: ["loopback"], header: "forwarded", clientCert: "Client-Cert" } };
    }),
  );
  try {
    write("proofs.jsonc", proofsPolicy());
    for (const [name, content] of Object.entries(FILES)) write(name, content);
    const words = line.replace("https://localhost:8443", served.url).match(/"[^"]*"|\S+/gu) ?? [];
    const { out, err } = await ran([...words.map((word) => word.replaceAll('"', "")), "--rate", "10000"]);
    expect(err).toBe("");
    expect(out.replaceAll(new URL(served.url).host, "localhost:8443")).toBe(shown);
    expect(out).not.toMatch(/eyJ[\w-]{8}|:[\w+/=]{30}/u);
  } finally {
    await served.close();
  }
});

it("exits with 0 where nothing differs; --json and --format sarif are for programs", PATIENT, async () => {
  const served = await serve("node-http", ordersPolicy());
  try {
    write("policy.jsonc", ordersPolicy());
    const args = [
      served.url,
      "--policy",
      "policy.jsonc",
      "--host",
      HOST,
      "--rate",
      "10000",
      "--only",
      "methods",
      "--route",
      "GET /health",
    ];
    const { code, out } = await ran([...args, "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ url: served.url, policy: "orders-api", disagreements: [] });
    const sarif = await ran([...args, "--format", "sarif"]);
    expect(JSON.parse(sarif.out)).toMatchObject({ version: "2.1.0", runs: [{ results: [] }] });
  } finally {
    await served.close();
  }
});

it("exits with 2 where it must not ask, before anything is sent", () => {
  write("policy.jsonc", ordersPolicy());
  const { code, out, err } = run(["probe", "http://192.0.2.1", "--policy", "policy.jsonc"]);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain("`192.0.2.1` is not this machine");
});
