import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Fetch, OutwardRequest } from "../ports/outward.js";
import { issueCertificate } from "../conformance/certificate.js";
import { platform } from "../platform/node.js";
import { outwardCall } from "./call.js";

const servers: (Server | TlsServer)[] = [];

afterEach(async () => {
  vi.useRealTimers();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The whole answer is there before its first part is read. */
const inParts =
  (status: string): RequestListener =>
  ({ socket }) => {
    const part = `64\r\n${"x".repeat(100)}\r\n`;
    socket.end(`HTTP/1.1 ${status}\r\nTransfer-Encoding: chunked\r\n\r\n${part.repeat(100)}0\r\n\r\n`);
  };

const open = (): AbortSignal => new AbortController().signal;

async function outcomeOf(
  request: Partial<OutwardRequest> & { readonly url: string },
  given?: Fetch,
  closed = open(),
): Promise<unknown> {
  const outcome = await outwardCall(given, closed)({ maxBytes: 1000, ...request });
  if (outcome.kind === "failure") return outcome.reason;
  return { status: outcome.status, text: new TextDecoder().decode(outcome.body) };
}

/** A stand-in that shows what it was called with. */
function recording(answer: () => Response): { readonly fetch: Fetch; readonly calls: RequestInit[] } {
  const calls: RequestInit[] = [];
  const fetch: Fetch = (_url, init) => {
    calls.push(init);
    return Promise.resolve(answer());
  };
  return { fetch, calls };
}

describe("a call", () => {
  it("brings status, fields and bytes of whatever was answered", async () => {
    const seen: unknown[] = [];
    const base = await serve((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        seen.push(request.method, request.headers["x-one"], Buffer.concat(chunks).toString());
        response.writeHead(418, { "Content-Type": "text/x" }).end("tea");
      });
    });
    const call = outwardCall(undefined, open());
    const answer = await call({
      url: `${base}/a?b`,
      method: "POST",
      headers: { "X-One": "1" },
      body: "b=c",
      maxBytes: 3,
    });
    expect(
      answer.kind === "answer" && [answer.status, answer.header("content-type"), answer.header("x")],
    ).toEqual([418, "text/x", undefined]);
    expect(answer.kind === "answer" && new TextDecoder().decode(answer.body)).toBe("tea");
    expect(seen).toEqual(["POST", "1", "b=c"]);
  });

  it("takes no credentials of the page along, and no answer from its cache", async () => {
    const { fetch, calls } = recording(() => new Response("x"));
    await outcomeOf({ url: "https://a.test/" }, fetch);
    expect(calls[0]).toMatchObject({
      credentials: "omit",
      cache: "no-store",
      redirect: "manual",
      method: "GET",
    });
  });

  it("leaves a condition that holds to the caller", async () => {
    const base = await serve((_, response) => response.writeHead(304, { ETag: '"a"' }).end());
    expect(await outcomeOf({ url: base })).toEqual({ status: 304, text: "" });
  });
});

describe("what is never called", () => {
  it.each([
    ["http://a.test/", "the URL to call is not HTTPS"],
    ["http://169.254.169.254/latest/meta-data", "the URL to call is not HTTPS"],
    ["http://localhost.evil.test/", "the URL to call is not HTTPS"],
    ["http://127.0.0.1.evil.test/", "the URL to call is not HTTPS"],
    ["file:///etc/passwd", "the URL to call is not HTTPS"],
    ["data:text/plain,x", "the URL to call is not HTTPS"],
    ["https://user:secret@a.test/", "the URL to call holds a user or a password"],
    ["https://a.test/#f", "the URL to call has a fragment, which is never sent"],
    ["/relative", "the URL to call is no absolute URL"],
    ["", "the URL to call is no absolute URL"],
  ])("%s", async (url, reason) => {
    const { fetch, calls } = recording(() => new Response("x"));
    expect(await outcomeOf({ url }, fetch)).toBe(reason);
    expect(calls).toEqual([]);
  });

  it.each([
    "http://localhost:1/",
    "http://127.0.0.1:1/",
    "http://127.1:1/",
    "http://[::1]:1/",
    "https://a.test/",
  ])("but %s is", async (url) => {
    const { fetch } = recording(() => new Response("x"));
    expect(await outcomeOf({ url }, fetch)).toEqual({ status: 200, text: "x" });
  });
});

/** What nobody vouches for might be anybody: a key set from there would open every door. */
describe("a server over HTTPS", () => {
  const own = issueCertificate({ subject: [["CN", "keys"]], hosts: ["localhost"] });

  it("whose certificate nobody vouches for is told nothing, and not believed", async () => {
    let asked = 0;
    const server = createTlsServer({ key: own.key, cert: own.cert }, (_, response) => {
      asked += 1;
      response.end("x");
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `https://localhost:${(server.address() as AddressInfo).port}/keys`;
    expect(await outcomeOf({ url, headers: { Authorization: "Basic x" } })).toMatch(
      /^`https:\/\/localhost:\d+\/keys` cannot be reached \([A-Z_]*CERT[A-Z_]*\)$/u,
    );
    expect(asked).toBe(0);
  });
});

describe("the name of this machine", () => {
  const asking = async (url: string, ...addresses: readonly string[]): Promise<unknown> => {
    const asked: string[] = [];
    const addressesOf = (name: string): Promise<readonly string[]> => {
      asked.push(name);
      return addresses.length === 0
        ? Promise.reject(Object.assign(new Error("SECRET"), { code: "ENOTFOUND" }))
        : Promise.resolve(addresses);
    };
    const call = outwardCall(undefined, open(), { ...platform, addressesOf });
    const outcome = await call({ url, maxBytes: 1000 });
    return [outcome.kind === "failure" ? outcome.reason : new TextDecoder().decode(outcome.body), asked];
  };

  it("is called where all of its addresses are this machine's, whichever of them listens", async () => {
    const { port } = new URL(await serve((_, response) => response.end("x")));
    const url = `http://localhost:${port}/a`;
    expect(await asking(url, "::1", "127.0.0.1")).toEqual(["x", ["localhost"]]);
    for (const addresses of [["192.0.2.1"], ["127.0.0.1", "192.0.2.1"], ["::1", "2001:db8::1"], ["x"]])
      expect(await asking(`${url}?SECRET`, ...addresses)).toEqual([
        `\`${url}\` leads to another machine`,
        ["localhost"],
      ]);
    expect(await asking(url)).toEqual([`\`${url}\` cannot be reached (ENOTFOUND)`, ["localhost"]]);
  });

  it("is not called where it has no address", async () => {
    const url = await serve((_, response) => response.end("x"));
    const here = url.replace("127.0.0.1", "localhost");
    const call = outwardCall(undefined, open(), { addressesOf: () => Promise.resolve([]) });
    expect(await call({ url: here, maxBytes: 9 })).toMatchObject({ kind: "failure" });
  });

  it("is looked up as the engine does it", async () => {
    const { port } = new URL(await serve((_, response) => response.end("x")));
    const call = outwardCall(undefined, open(), platform);
    expect(await call({ url: `http://localhost:${port}/`, maxBytes: 9 })).toMatchObject({ kind: "answer" });
  });

  // Elsewhere this machine has one such address, unless somebody gave it more.
  it.runIf(process.platform === "linux")(
    "is called at the address that was looked at, whatever the name leads to by then",
    async () => {
      const hosts: unknown[] = [];
      const { port } = new URL(await serve((_, response) => response.end("another")));
      const server = createServer(({ headers, method }, response) => {
        hosts.push([method, headers.host, headers["x-a"]]);
        response.end("looked at");
      });
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(Number(port), "127.0.0.2", resolve));
      const url = `http://localhost:${port}/a?b`;
      expect(await asking(url, "127.0.0.2")).toEqual(["looked at", ["localhost"]]);
      const call = outwardCall(undefined, open(), {
        ...platform,
        addressesOf: () => Promise.resolve(["127.0.0.2"]),
      });
      const posted = await call({ url, method: "POST", headers: { "X-A": "1" }, body: "é", maxBytes: 99 });
      expect(posted).toMatchObject({ kind: "answer", status: 200 });
      expect(hosts).toEqual([
        ["GET", `localhost:${port}`, undefined],
        ["POST", `localhost:${port}`, "1"],
      ]);
    },
  );

  it("is called by the global `fetch` where somebody has put another there", async () => {
    vi.stubGlobal("fetch", () => Promise.resolve(new Response("stub")));
    try {
      expect(await asking("http://localhost:1/", "127.0.0.1")).toEqual(["stub", ["localhost"]]);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it.each<[string, RequestListener, RegExp | object]>([
    [
      "a redirect",
      (_, response) => response.writeHead(302, { Location: "/x" }).end(),
      /answered with a redirect/u,
    ],
    ["too much", (_, response) => response.end("x".repeat(200_000)), /more than 1000 bytes/u],
    [
      "too much, and too slowly",
      (_, response) => void response.write("x".repeat(200_000)),
      /more than 1000/u,
    ],
    ["too much, in parts that come at once", inParts("200 OK"), /more than 1000 bytes/u],
    [
      "a redirect with content, in parts that come at once",
      inParts("302 Found"),
      /answered with a redirect/u,
    ],
    [
      "another protocol",
      ({ socket }) => void socket.end("HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"),
      /cannot be reached/u,
    ],
    ["a status that is none", (_, response) => response.writeHead(999).end(), /cannot be reached/u],
    [
      "half an answer",
      (_, response) =>
        void response.writeHead(200, { "Content-Length": 9 }).write("x", () => response.destroy()),
      /cannot be reached \(ECONNRESET\)/u,
    ],
    ["nothing", (_, response) => response.writeHead(204).end(), { kind: "answer", status: 204 }],
    [
      "not changed",
      (_, response) => response.writeHead(304, { ETag: "x" }).end(),
      { kind: "answer", status: 304 },
    ],
    ["never", () => undefined, /took longer than 300 ms/u],
  ])("answers like any other: %s", async (_what, answer, expected) => {
    const { port } = new URL(await serve(answer));
    const call = outwardCall(undefined, open(), platform);
    const outcome = await call({ url: `http://localhost:${port}/`, maxBytes: 1000, deadlineMs: 300 });
    if (expected instanceof RegExp) expect(outcome.kind === "failure" && outcome.reason).toMatch(expected);
    else expect(outcome).toMatchObject(expected);
  });

  it("an address is not looked up", async () => {
    const base = await serve((_, response) => response.end("x"));
    expect(await asking(base, "192.0.2.1")).toEqual(["x", []]);
  });
});

describe("a redirect", () => {
  it.each([301, 302, 303, 307, 308, 300])("%i is not followed, not even home", async (status) => {
    let hits = 0;
    const base: string = await serve((_, response) => {
      hits += 1;
      response.writeHead(status, { Location: `${base}/next` }).end("x");
    });
    expect(await outcomeOf({ url: `${base}/a?key=SECRET` })).toBe(
      `\`${base}/a\` answered with a redirect, which is not followed`,
    );
    expect(hits).toBe(1);
  });

  it("that a fetch followed all the same is no answer", async () => {
    const followed = new Response("x");
    Object.defineProperty(followed, "redirected", { value: true });
    const { fetch } = recording(() => followed);
    expect(await outcomeOf({ url: "https://a.test/" }, fetch)).toBe(
      "`https://a.test/` answered with a redirect, which is not followed",
    );
  });

  it("as browsers hide it is no answer", async () => {
    const hidden = new Response(null);
    Object.defineProperty(hidden, "type", { value: "opaqueredirect" });
    Object.defineProperty(hidden, "status", { value: 0 });
    const { fetch } = recording(() => hidden);
    expect(await outcomeOf({ url: "https://a.test/" }, fetch)).toBe(
      "`https://a.test/` answered with a redirect, which is not followed",
    );
  });
});

describe("size", () => {
  const tooLong = (base: string): string => `\`${base}/\` answered with more than 1000 bytes`;

  it("is limited where the length is told", async () => {
    const base = await serve((_, response) => response.end(Buffer.alloc(1001)));
    expect(await outcomeOf({ url: base })).toBe(tooLong(base));
  });

  it("is limited where it is not, without end", async () => {
    let gone: () => void = () => undefined;
    const closed = new Promise<void>((resolve) => (gone = resolve));
    const base = await serve((_, response) => {
      response.once("close", gone);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(400)));
      };
      response.on("drain", more);
      more();
    });
    expect(await outcomeOf({ url: base })).toBe(tooLong(base));
    // Given up, not read to its end somewhere behind.
    await closed;
  });

  it("is counted after decompression", async () => {
    const base = await serve((_, response) => {
      response.writeHead(200, { "Content-Encoding": "gzip" }).end(gzipSync(Buffer.alloc(100_000)));
    });
    expect(await outcomeOf({ url: base })).toBe(tooLong(base));
  });

  it("may be as much as allowed", async () => {
    const base = await serve((_, response) => response.end("x".repeat(1000)));
    expect(await outcomeOf({ url: base })).toEqual({ status: 200, text: "x".repeat(1000) });
  });
});

describe("time", () => {
  it("ends a call that is never answered, and its connection", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    let gone: () => void = () => undefined;
    const closed = new Promise<void>((resolve) => (gone = resolve));
    let came: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => (came = resolve));
    const base = await serve((request) => {
      request.socket.once("close", gone);
      came();
    });
    const outcome = outcomeOf({ url: `${base}/a?q` });
    await asked;
    vi.advanceTimersByTime(4999);
    vi.advanceTimersByTime(1);
    expect(await outcome).toBe(`\`${base}/a\` took longer than 5000 ms`);
    await closed;
  });

  it("ends an answer that drips", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    let came: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => (came = resolve));
    const base = await serve((_, response) => {
      response.write("x");
      came();
    });
    const outcome = outcomeOf({ url: base, deadlineMs: 100 });
    await asked;
    vi.advanceTimersByTime(100);
    expect(await outcome).toBe(`\`${base}/\` took longer than 100 ms`);
  });

  it("does not depend on a fetch that honours its signal", async () => {
    vi.useFakeTimers();
    const outcome = outcomeOf(
      { url: "https://a.test/", deadlineMs: 100 },
      () => new Promise(() => undefined),
    );
    vi.advanceTimersByTime(100);
    expect(await outcome).toBe("`https://a.test/` took longer than 100 ms");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("leaves no timer behind an answer", async () => {
    vi.useFakeTimers();
    const { fetch } = recording(() => new Response("x"));
    await outcomeOf({ url: "https://a.test/" }, fetch);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each(["the engine", "the caller"])("ends with %s", async (who) => {
    const end = new AbortController();
    const own = who === "the caller" ? { signal: end.signal } : {};
    const closed = who === "the caller" ? open() : end.signal;
    const call = outwardCall(() => new Promise(() => undefined), closed);
    const running = call({ url: "https://a.test/", maxBytes: 1, ...own });
    end.abort();
    expect(await running).toEqual({ kind: "failure", reason: "the call of `https://a.test/` was given up" });
    expect(await call({ url: "https://a.test/", maxBytes: 1, ...own })).toEqual({
      kind: "failure",
      reason: "`https://a.test/` is not called any more",
    });
  });
});

describe("what fails", () => {
  it("is named by the system's code alone", async () => {
    const base = await serve(() => undefined);
    for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
    expect(await outcomeOf({ url: `${base}/k?key=SECRET` })).toBe(
      `\`${base}/k\` cannot be reached (ECONNREFUSED)`,
    );
  });

  it("is not quoted, and never rejects", async () => {
    const url = "https://a.test/k?key=SECRET";
    const thrown = (): never => {
      throw new Error(`no ${url}`);
    };
    expect(await outcomeOf({ url }, thrown)).toBe("`https://a.test/k` cannot be reached");
    expect(await outcomeOf({ url }, () => Promise.reject(new Error(`no ${url}`)))).toBe(
      "`https://a.test/k` cannot be reached",
    );
    // eslint-disable-next-line typescript/prefer-promise-reject-errors -- what is no Error is told alike
    expect(await outcomeOf({ url }, () => Promise.reject("SECRET"))).toBe(
      "`https://a.test/k` cannot be reached",
    );
  });

  it("may be cut off in the middle", async () => {
    const base = await serve((_, response) => {
      response.writeHead(200, { "Content-Length": "10" });
      response.write("x");
      setImmediate(() => response.destroy());
    });
    expect(await outcomeOf({ url: base })).toMatch(/^`http:\/\/127\.0\.0\.1:\d+\/` cannot be reached/u);
  });
});

it("does not make the platform load its client before the first call", async () => {
  const touched: string[] = [];
  const own = Object.getOwnPropertyDescriptor(globalThis, "Request") ?? {};
  Object.defineProperty(globalThis, "Request", {
    configurable: true,
    get: () => {
      touched.push("Request");
      return own.value as unknown;
    },
  });
  try {
    vi.resetModules();
    const { outwardCall: fresh } = await import("./call.js");
    expect(touched).toEqual([]);
    await fresh(() => Promise.resolve(new Response("x")), open())({ url: "https://a.test/", maxBytes: 10 });
    expect(touched).not.toEqual([]);
  } finally {
    Object.defineProperty(globalThis, "Request", own);
  }
});
