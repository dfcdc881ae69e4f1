/** What a probe does to a server, and what it must not: servers here are plain ones, so that all that is sent is seen. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { definePolicy, type PolicyDocument } from "@gatehouse/core";
import { makeKeyPair } from "../key/pair.js";
import { formatProbe } from "./formats.js";
import { probe } from "./probe.js";
import { readToken } from "./tokens.js";

const { privateKey, publicKeys } = await makeKeyPair("EdDSA", "own");

const POLICY = definePolicy({
  gatehouse: 1,
  name: "plain",
  transport: { https: "off" },
  roles: { clerk: [] },
  authenticators: {
    user: {
      type: "jwt",
      issuer: "https://id.test/",
      audience: "plain",
      algorithms: ["EdDSA"],
      keys: { jwks: publicKeys as never },
      principal: { id: "sub", roles: "roles" },
    },
  },
  routes: {
    "GET /notes": { authorize: { roles: ["clerk"] } },
    "POST /notes": { authorize: { roles: ["clerk"] }, request: { body: { type: "object" } } },
    "POST /open": { authenticate: "none", request: { body: { type: "object" } } },
  },
});

const KEYS = { user: JSON.stringify(privateKey) };
const FAST = { rate: 10_000, wait: 0 };

interface Seen extends Pick<IncomingMessage, "method" | "url" | "headers"> {
  readonly body: readonly Buffer[];
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function serving(
  answer: (request: IncomingMessage, response: ServerResponse, server: Server) => void,
): Promise<{ readonly url: string; readonly seen: readonly Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const { method, url, headers } = request;
    const body: Buffer[] = [];
    request.on("data", (chunk: Buffer) => body.push(chunk));
    seen.push({ method, url, headers, body });
    answer(request, response, server);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    seen,
  };
}

const refuse = (_request: unknown, response: ServerResponse): void => void response.writeHead(404).end();

it("sends no more than it may, and says what it left out", async () => {
  const { url, seen } = await serving((_request, response) => void response.end("{}"));
  const { requests, notAsked, disagreements } = await probe(url, POLICY, { ...FAST, maxRequests: 10 });
  expect(requests).toBe(10);
  // One more, to learn whether it speaks HTTP at all.
  expect(seen).toHaveLength(11);
  expect(notAsked.map(({ why }) => why)).toContain("no more requests are left: `--max-requests` allows more");
  expect(disagreements.map(({ kind }) => kind)).toContain("wider");
});

it("greets the server by the host that is meant: one may answer nobody else", async () => {
  const host = "api.example.com";
  const { url, seen } = await serving((request, response) =>
    request.headers.host === host ? refuse(request, response) : request.socket.destroy(),
  );
  const { requests } = await probe(url, POLICY, { ...FAST, host, maxRequests: 1 });
  expect([requests, seen[0]?.headers.host]).toEqual([1, host]);
});

it("follows nothing", async () => {
  const elsewhere = await serving(refuse);
  const { url } = await serving(
    (_request, response) => void response.writeHead(302, { Location: elsewhere.url }).end(),
  );
  const { disagreements } = await probe(url, POLICY, { ...FAST, maxRequests: 30 });
  expect(elsewhere.seen).toEqual([]);
  expect(disagreements[0]).toMatchObject({ kind: "wider", got: "302" });
});

describe("what might change data", () => {
  const changes = (seen: readonly Seen[]): readonly Seen[] =>
    seen.filter(
      ({ method, url, headers }) => method === "POST" && url === "/notes" && isGood(headers.authorization),
    );
  /** Signed by the server's own key, and nothing else is wrong with it. */
  const isGood = (authorization = ""): boolean => {
    const { header, claims } = readToken(authorization.replace("Bearer ", "")) ?? { header: {}, claims: {} };
    const { iss, aud, exp } = claims;
    const dated = typeof exp === "number" && exp * 1000 > Date.now();
    return header["kid"] === "own" && iss === "https://id.test/" && aud === "plain" && dated;
  };
  const only = ["callers", "input"] as const;

  it("is not sent with a good credential, and not where nobody is asked for one", async () => {
    const { url, seen } = await serving(refuse);
    const { notAsked } = await probe(url, POLICY, { ...FAST, keys: KEYS, only });
    expect(changes(seen)).toEqual([]);
    const open = seen.filter(({ method, url: target }) => method === "POST" && target === "/open");
    expect(open.length).toBeGreaterThan(0);
    const good = open.filter(
      ({ headers, body }) =>
        headers["content-type"] === "application/json" &&
        headers["content-encoding"] === undefined &&
        Buffer.concat(body).toString() === "{}",
    );
    expect(good).toEqual([]);
    expect(notAsked.map(({ why }) => why)).toContain("it might change data: `--unsafe` sends it");
  });

  it("is sent where that is said", async () => {
    const { url, seen } = await serving(refuse);
    await probe(url, POLICY, { ...FAST, keys: KEYS, only, unsafe: true });
    expect(changes(seen).length).toBeGreaterThan(0);
  });
});

it("asks nothing that it has no credential for", async () => {
  const { url, seen } = await serving(refuse);
  const { notAsked } = await probe(url, POLICY, { ...FAST, only: ["callers"], routes: ["GET /notes"] });
  expect(notAsked.map(({ why }) => why)).toContain("no credential of `user` was handed over");
  expect(seen.filter(({ headers }) => headers.authorization?.startsWith("Bearer ey") === true)).toHaveLength(
    1,
  );
});

describe("of which routes it is not known whom they serve", () => {
  it("is told, and why", async () => {
    const { url } = await serving(refuse);
    const asked = { ...FAST, only: ["callers"] } as const;
    const boundTo = (senderConstrained: "dpop" | "mtls"): PolicyDocument => ({
      ...POLICY,
      authenticators: { user: { ...POLICY.authenticators?.["user"], senderConstrained } },
    });
    const why = (text: string, ...routes: readonly string[]): unknown[] =>
      routes.map((route) => ({ route, why: [text] }));
    const change = why("it might change data: `--unsafe` sends it", "POST /notes", "POST /open");
    expect((await probe(url, POLICY, asked)).untried).toEqual([
      ...why("no credential of `user` was handed over", "GET /notes"),
      ...change,
    ]);
    expect((await probe(url, POLICY, { ...asked, keys: KEYS })).untried).toEqual(change);
    expect((await probe(url, POLICY, { ...asked, keys: KEYS, unsafe: true })).untried).toEqual([]);
    // One kind of caller is enough, and the others are told among what was not asked.
    const other = { type: "api-key", in: "header", name: "X-Key", keys: { lookup: "find" } } as const;
    const either = { ...POLICY, authenticators: { ...POLICY.authenticators, other } };
    const half = await probe(url, either, { ...asked, keys: KEYS, unsafe: true });
    expect(half.notAsked.map((one) => one.why)).toContain("no credential of `other` was handed over");
    expect(half.untried).toEqual([]);
    const keyed = { ...asked, keys: KEYS, unsafe: true };
    expect((await probe(url, boundTo("dpop"), keyed)).untried).toEqual([]);
    const constrained = await probe(url, boundTo("mtls"), keyed);
    const tls = "`user` asks for a client's certificate, which is shown over TLS alone";
    expect(constrained.untried).toEqual(why(tls, "GET /notes", "POST /notes"));
    expect(formatProbe(constrained, "pretty", "policy.json")).toContain(
      `not tried: whether callers whom the policy admits are served by \`GET /notes\`, \`POST /notes\`: ${tls}\n`,
    );
  });
});

it("tells where the clocks are apart", async () => {
  const { url } = await serving((_request, response) => {
    response.writeHead(404, { Date: new Date(Date.now() + 3_600_000).toUTCString() }).end();
  });
  const { notes } = await probe(url, POLICY, { ...FAST, maxRequests: 2 });
  expect(notes).toEqual([
    expect.stringMatching(
      /^the server's clock is \d{4} s ahead of this one: tokens that are good here may not be good there$/u,
    ),
  ]);
});

it("tells where the server is gone, and after what", async () => {
  const { url } = await serving((request, response, server) => {
    if (request.url?.startsWith("/notes") !== true) return refuse(request, response);
    server.close();
    server.closeAllConnections();
  });
  const { disagreements } = await probe(url, POLICY, { ...FAST, only: ["callers"] });
  expect(disagreements).toMatchObject([
    {
      kind: "failed",
      message: "the server is gone: it takes no connections after this request",
      route: "GET /notes",
      about: "no credential",
    },
  ]);
});

describe("an answer that is cut off", () => {
  const listed: PolicyDocument = {
    ...POLICY,
    routes: {
      "GET /list": {
        authenticate: "none",
        response: { body: { type: "array", items: { type: "string" } } },
      },
      "GET /notes": POLICY.routes["GET /notes"] ?? {},
    },
  };
  const head = (response: ServerResponse): ServerResponse =>
    response.writeHead(200, {
      "Content-Type": "application/json",
      "Cache-Control": "no-store",
      "X-Content-Type-Options": "nosniff",
    });

  it.each<readonly [string, number, (response: ServerResponse) => unknown]>([
    ["it is larger than 8 MB", 60_000, (response) => response.end(`["${"a".repeat(9 * 1024 * 1024)}"]`)],
    ["it took too long", 300, (response) => response.write('["a",')],
    [
      "the connection ended before it did",
      60_000,
      (response) => response.write('["a",', () => void response.socket?.destroy()),
    ],
  ])("is no leak, since %s, and told; that it was served is found", async (why, deadline, answer) => {
    const { url } = await serving((_request, response) => void answer(head(response)));
    const options = { ...FAST, only: ["callers"], maxRequests: 2, deadline } as const;
    const { disagreements, notAsked } = await probe(url, listed, { ...options, routes: ["GET /list"] });
    expect(disagreements.filter(({ kind }) => kind === "leak")).toEqual([]);
    expect(notAsked).toContainEqual(
      expect.objectContaining({ why: `what an answer holds: it was cut off, since ${why}` }),
    );
    const guarded = await probe(url, listed, { ...options, routes: ["GET /notes"] });
    expect(guarded.disagreements.map(({ kind }) => kind)).toContain("wider");
  });
});

describe("a limit", () => {
  const limited = (_request: unknown, response: ServerResponse): void =>
    void response
      .writeHead(429, { "Content-Type": "application/problem+json", "Retry-After": "1" })
      .end('{"status":429,"code":"rate-limited"}');
  const withLimit: PolicyDocument = {
    ...POLICY,
    limits: { few: { limit: 1, window: "1m", by: "client.ip" } },
    global: { limits: ["few"] },
  };
  const open: PolicyDocument = {
    gatehouse: 1,
    name: "open",
    transport: { https: "off" },
    routes: { "GET /": { authenticate: "none" } },
  };

  it("of the policy makes no disagreement", async () => {
    const { url } = await serving(limited);
    const report = await probe(url, withLimit, { ...FAST, only: ["callers"] });
    expect(report.disagreements).toEqual([]);
    expect(report.notAsked.map(({ why }) => why)).toContain(
      "a limit of the policy refused it: `--wait` waits longer",
    );
  });

  it("that the policy does not have makes one", async () => {
    const { url } = await serving(limited);
    const { disagreements } = await probe(url, open, { ...FAST, only: ["callers"] });
    expect(disagreements).toMatchObject([{ kind: "stricter", got: "429 rate-limited" }]);
  });
});

describe("refuses to begin", () => {
  const begin = async (
    policy: PolicyDocument,
    options: Parameters<typeof probe>[2] = {},
  ): Promise<unknown> => {
    const { url } = await serving(refuse);
    return probe(url, policy, { ...FAST, ...options });
  };

  it("where nobody listens, or nobody speaks HTTP", async () => {
    await expect(probe("http://127.0.0.1:1", POLICY)).rejects.toThrow(
      "there is no connection to `http://127.0.0.1:1` (ECONNREFUSED)",
    );
  });

  it("where the policy would refuse everything", async () => {
    await expect(begin({ ...POLICY, transport: { https: "require" } })).rejects.toThrow(
      "the policy refuses plain HTTP",
    );
    await expect(begin({ ...POLICY, transport: { https: "off", hosts: ["a.test"] } })).rejects.toThrow(
      "the policy serves no host `127.0.0.1:",
    );
  });

  it("with what does not fit the policy, and without repeating a credential", async () => {
    const credential = "canary-credential";
    const people = { ann: { person: { authenticator: "user", roles: ["clark"] }, credential } };
    await expect(begin(POLICY, { people })).rejects.toThrow(
      /^`ann` does not fit the policy: role `clark` is not declared in `roles` of the policy; did you mean `clerk`\?$/u,
    );
    await expect(begin(POLICY, { routes: ["GET /note"] })).rejects.toThrow(
      "the policy has no route `GET /note`",
    );
    await expect(begin(POLICY, { keys: { other: "x" } })).rejects.toThrow(
      "the policy has no authenticator `other` that a key is for",
    );
    await expect(begin(POLICY, { keys: { user: "canary-key" } })).rejects.toThrow(
      /^`user` holds no private key$/u,
    );
    const { privateKey: rsa } = await makeKeyPair("ES256");
    await expect(begin(POLICY, { keys: { user: JSON.stringify(rsa) } })).rejects.toThrow(
      "signs with none of the authenticator's algorithms",
    );
  });

  it("where credentials would go over the network as they are", async () => {
    const asked = probe("http://192.0.2.1", POLICY, { allowHosts: ["192.0.2.1"], keys: KEYS });
    await expect(asked).rejects.toThrow("credentials would go over the network as they are");
  });
});
