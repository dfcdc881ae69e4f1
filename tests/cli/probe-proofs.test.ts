/** A server that looks at every proof of its callers, and servers that each leave one thing out. */
import { TLSSocket } from "node:tls";
import { describe, expect, it } from "vitest";
import { formatProbe, probe, type ProbeOptions, type ProbeReport } from "gatehouse";
import { PROOF_PLANTS } from "./probe-proof-plants.js";
import { proofsPolicy, PROVEN, serveProofs, type ProofServer } from "./probe-proof-servers.js";
import type { Draft } from "./probe-servers.js";

const policy = proofsPolicy();

async function probed(
  { served, ...server }: ProofServer & { readonly served?: (draft: Draft) => void },
  options: ProbeOptions = {},
): Promise<ProbeReport> {
  const running = await serveProofs(proofsPolicy(served), server);
  try {
    return await probe(running.url, policy, { ...PROVEN, ...options });
  } finally {
    await running.close();
  }
}

/** What nginx answers under `ssl_verify_client on`, to whatever is asked. */
const nginx: NonNullable<ProofServer["before"]> = (request, response) => {
  const { socket } = request;
  if (!(socket instanceof TLSSocket) || socket.authorized) return false;
  const shown = Object.keys(socket.getPeerCertificate()).length > 0;
  const title = shown ? "The SSL certificate error" : "No required SSL certificate was sent";
  response.writeHead(400, { Server: "nginx/1.27.1", "Content-Type": "text/html", Connection: "close" });
  response.end(
    `<html>\r\n<head><title>400 ${title}</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n<center>${title}</center>\r\n<hr><center>nginx/1.27.1</center>\r\n</body>\r\n</html>\r\n`,
  );
  return true;
};

/** It waits for nothing, but a machine may be busy with other things. */
const PATIENT = { timeout: 120_000 };

describe("a healthy server", PATIENT, () => {
  const own: ProbeOptions = { only: ["callers", "tokens", "proofs"] };

  it("has no disagreement, and every route of it is tried", async () => {
    const report = await probed({}, own);
    expect(report).toMatchObject({ disagreements: [], untried: [], notAsked: [] });
    expect(report.asked).toBeGreaterThan(200);
  });

  it("has none where no connection is taken without a certificate", async () => {
    const report = await probed({ framework: "express", required: true }, { only: ["proofs"] });
    expect(report).toMatchObject({ disagreements: [], untried: [], notAsked: [] });
    expect(report.barred).toMatchObject([{ how: "in the handshake" }]);
    const bare = probed({ required: true }, { certificate: undefined });
    await expect(bare).rejects.toMatchObject({
      help: "a server that takes no connection without a client's certificate wants `--cert`",
    });
  });

  it("has none behind a server that answers 400 where no certificate comes, as nginx does, and says so", async () => {
    const report = await probed({ before: nginx }, own);
    expect(report).toMatchObject({ disagreements: [], untried: [], notAsked: [] });
    expect(report.barred).toEqual([
      { how: "with 400, to whatever is asked", count: expect.any(Number), example: expect.any(String) },
    ]);
    expect(formatProbe(report, "pretty", "p.json")).toMatch(
      /^refused before the policy \(\d+\): the connection, with 400, to whatever is asked, such as /mu,
    );
    expect(report.notes.join()).toContain("takes no connection without a client's certificate");
    const bare = probed({ before: nginx }, { certificate: undefined });
    await expect(bare).rejects.toMatchObject({
      help: "a server that takes no connection without a client's certificate wants `--cert`",
    });
  });

  it("that lets one route past such a server has one: it is served to whoever comes", async () => {
    const { disagreements } = await probed(
      {
        before: (request, response) => request.url !== "/machine" && nginx(request, response),
        served: (draft) => void (draft.routes["GET /machine"] = { authenticate: "none" }),
      },
      { ...own, routes: ["GET /machine"] },
    );
    expect(disagreements).toContainEqual(
      expect.objectContaining({ kind: "wider", about: "no certificate", route: "GET /machine" }),
    );
  });

  it("has none whatever is asked by those who sign", async () => {
    const { disagreements, untried } = await probed(
      {},
      { only: ["input"], routes: ["POST /signed", "POST /hook"] },
    );
    expect({ disagreements, untried }).toEqual({ disagreements: [], untried: [] });
  });

  it("has none behind a proxy that says who holds which certificate, in whose place the probe stands", async () => {
    const trust = { peers: ["loopback"], header: "x-forwarded-for", clientCert: "Client-Cert" };
    const behind = proofsPolicy((draft) => void (draft.transport = { trust }));
    const running = await serveProofs(behind, { plain: true });
    try {
      const routes = ["GET /dpop", "GET /bound", "GET /machine", "GET /signed"];
      const { certificate: _own, ...handed } = PROVEN;
      const { disagreements, untried } = await probe(running.url, behind, { ...handed, ...own, routes });
      expect({ disagreements, untried }).toEqual({ disagreements: [], untried: [] });
    } finally {
      await running.close();
    }
  });

  it("says of which routes it lacks what they ask to be proved", async () => {
    const { untried, disagreements } = await probed({}, { ...own, keys: {}, certificate: undefined });
    expect(disagreements).toEqual([]);
    expect(Object.fromEntries(untried.map(({ route, why }) => [route, why]))).toEqual({
      "GET /bound": [
        "tokens of `bound` are bound to a client's certificate, and none was handed over (`--cert`)",
      ],
      "GET /dpop": ["no credential of `dpop` was handed over"],
      "GET /machine": ["`machine` wants a client's certificate, and none was handed over (`--cert`)"],
      "GET /nonced": ["no credential of `nonced` was handed over"],
      "GET /signed": [
        "`signer` wants a signature over the message, and no key of that signer was handed over (`--key`)",
      ],
      "POST /dpop": ["no credential of `dpop` was handed over"],
      "POST /hook": ["`hook` wants a signature over the message, and no secret was handed over (`--key`)"],
      "POST /shared": [
        "`shared` wants a signature over the message, and no key of that signer was handed over (`--key`)",
      ],
      "POST /signed": [
        "`signer` wants a signature over the message, and no key of that signer was handed over (`--key`)",
      ],
    });
  });
});

describe("a planted disagreement is found", PATIENT, () => {
  it.each(PROOF_PLANTS.map((plant) => [plant.name, plant] as const))("%s", async (_name, plant) => {
    const { found, route } = plant;
    const { disagreements } = await probed(plant, { only: ["proofs"], routes: [route] });
    const missed = found.about.filter(
      (about) => !disagreements.some((one) => one.kind === found.kind && about.test(one.about)),
    );
    // Where it is not found, what was found in its place is told.
    expect(missed.length === 0 ? "found" : { missed, disagreements }).toBe("found");
  });
});
