import { createServer } from "node:net";
import { createServer as createHttps, request } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Case, CaseFile } from "./case.js";
import { throwawayCertificate } from "./certificate.js";
import { runOverSockets, whyNotOverSockets, type SocketTarget } from "./sockets.js";
import { whyNotOverHttp2 } from "./sockets-http2.js";
import { parseAnswer } from "./sockets-wire.js";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A server that decides nothing: it records what it is sent, and answers what it is told. */
function canned(answer: string, received: string[] = [], lacks: SocketTarget["lacks"] = []): SocketTarget {
  return {
    name: "canned",
    lacks,
    start: async ({ engineOptions }) => {
      const server = createServer((socket) => {
        socket.on("data", (bytes) => {
          received.push(bytes.toString("latin1"));
          socket.end(answer);
          engineOptions.onDecision?.({
            id: "",
            correlation: "",
            time: 0,
            policy: "",
            revision: "",
            mode: "enforce",
            route: null,
            method: "GET",
            outcome: "refuse",
            stage: "route",
            code: "not-found",
            status: 404,
          });
        });
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as AddressInfo;
      return { port, close: async () => void server.close() };
    },
  };
}

function fileOf(one: Partial<Case>): { file: CaseFile; one: Case } {
  const whole: Case = {
    name: "one",
    policy: "p",
    request: { target: "/a" },
    expect: { outcome: "refuse", stage: "route", code: "not-found", status: 404 },
    ...one,
  };
  return { file: { about: "", policies: { p: {} }, cases: [whole] }, one: whole };
}

const NOT_FOUND = "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno";

describe("a case over a socket", () => {
  it("sends exactly its bytes", async () => {
    const received: string[] = [];
    const { file, one } = fileOf({
      request: {
        method: "POST",
        target: "/a//b?c#d",
        headers: [
          ["x-A", "1"],
          ["x-A", "2"],
        ],
        body: "hi",
      },
    });
    expect(await runOverSockets(file, one, canned(NOT_FOUND, received))).toEqual([]);
    expect(received.join("")).toBe(
      "POST /a//b?c#d HTTP/1.1\r\nHost: a.test\r\nx-A: 1\r\nx-A: 2\r\nContent-Length: 2\r\n\r\nhi",
    );
  });

  it("frames a chunked body, and asks for an upgrade", async () => {
    const received: string[] = [];
    const { file, one } = fileOf({
      request: { target: "/", headers: [["Transfer-Encoding", "chunked"]], body: "hi", upgrade: true },
    });
    await runOverSockets(file, one, canned(NOT_FOUND, received));
    expect(received.join("")).toBe(
      "GET / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    );
  });

  it("names every difference", async () => {
    const { file, one } = fileOf({
      expect: { outcome: "admit", status: 200, headers: { "X-A": "b" }, text: "yes" },
    });
    expect(await runOverSockets(file, one, canned(NOT_FOUND))).toEqual([
      'outcome: expected "admit", got "refuse"',
      "status: expected 200, got 404",
      'header X-A: expected "b", got null',
      'text: expected "yes", got "no"',
    ]);
  });

  it("an answer that is not whole is a difference", async () => {
    const { file, one } = fileOf({
      steps: [fileOf({}).one, fileOf({}).one].map(({ request, expect }) => ({ request, expect }) as never),
    });
    const { request: _request, expect: _expect, ...steps } = one;
    expect(await runOverSockets(file, steps, canned(NOT_FOUND.slice(0, -1)))).toEqual([
      "step 1: no whole answer came",
      "step 2: no whole answer came",
    ]);
  });
});

describe("what a server cannot show is skipped with its reason", () => {
  const reasonFor = (
    given: Partial<Case>,
    lacks: SocketTarget["lacks"],
    policy: object = {},
  ): string | undefined => {
    const { file, one } = fileOf(given);
    return whyNotOverSockets({ ...file, policies: { p: policy } }, one, canned("", [], lacks));
  };
  const why = (
    request: Partial<NonNullable<Case["request"]>>,
    lacks: SocketTarget["lacks"],
  ): string | undefined => reasonFor({ request: { target: "/", ...request } }, lacks);

  it("an object that is encoded is not for a server that sees its text", () => {
    const encoding = { defaults: { response: { encode: true } } };
    expect(reasonFor({ answer: { json: {} } }, ["objects"], encoding)).toBe("canned lacks: objects");
    expect(reasonFor({ answer: { json: {} } }, ["objects"])).toBeUndefined();
    expect(reasonFor({ answer: { text: "{}" } }, ["objects"], encoding)).toBeUndefined();
  });

  it.each([
    [{}, ["target", "duplicates", "peer", "tls", "upgrade", "http1.0"], undefined],
    [{ ip: "203.0.113.1" }, [], "only addresses in 127.0.0.0/8 can be had"],
    [{ ip: "127.0.0.2" }, ["peer"], "canned lacks: peer"],
    [{ ip: "127.0.0.2" }, [], undefined],
    [{ https: true }, ["tls"], "canned lacks: tls"],
    [{ upgrade: true }, ["upgrade"], "canned lacks: upgrade"],
    [{ httpVersion: "1.0" }, ["http1.0"], "canned lacks: http1.0"],
    [
      {
        headers: [
          ["A", "1"],
          ["a", "2"],
        ],
      },
      ["duplicates"],
      "canned lacks: duplicates",
    ],
    [{ target: "/a/../b" }, ["target"], "canned lacks: target"],
    [{ target: "//a" }, ["target"], "canned lacks: target"],
    [{ target: "http://a.test/" }, ["target"], "canned lacks: target"],
    [{ target: "/a?b=%20c" }, ["target"], undefined],
  ] as const)("%j without %j", (request, lacks, reason) => {
    expect(why(request, lacks)).toBe(reason);
  });

  it.each([
    [{}, undefined],
    [{ token: {}, tokenCookie: "sid", headers: [["Cookie", "a=b"]] }, undefined],
    [{ httpVersion: "1.0" }, "it is about HTTP/1.0"],
    [{ upgrade: true }, "HTTP/2 has no Upgrade"],
    [{ target: "http://a.test/" }, "HTTP/2 has a path, and no host in it"],
    [{ bare: true }, "HTTP/2 has one authority"],
    [
      {
        headers: [
          ["Host", "a.test"],
          ["host", "b.test"],
        ],
      },
      "HTTP/2 has one authority",
    ],
    [{ headers: [["Host", "a.test/b"]] }, "the protocol's own parser refuses the authority"],
    [{ headers: [["Connection", "close"]] }, "`connection` is HTTP/1.1's"],
    [{ headers: [["Content-Length", "1"]] }, "`content-length` is HTTP/1.1's"],
    [{ token: {}, headers: [["Authorization", "Basic x"]] }, "the client does not repeat `authorization`"],
  ] as const)("%j over HTTP/2", (request, reason) => {
    const expected = { outcome: "admit", status: 200 } as const;
    expect(whyNotOverHttp2({ target: "/", ...request }, expected)).toBe(reason);
  });

  it("an answer that is told by a field of HTTP/1.1 has no form in HTTP/2", () => {
    const expected = { outcome: "refuse", status: 413, headers: { Connection: "close" } } as const;
    expect(whyNotOverHttp2({ target: "/" }, expected)).toBe("`Connection` is HTTP/1.1's");
  });

  it("a case for the core says so itself", () => {
    expect(reasonFor({ coreOnly: "because" }, [])).toBe("because");
  });
});

describe("an answer's bytes", () => {
  const parse = (text: string, method = "GET", ended = false) => {
    const answer = parseAnswer(Buffer.from(text, "latin1"), method, ended);
    return answer && [answer.status, answer.body.toString(), answer.rest.toString()];
  };

  it.each([
    ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabHTTP", "GET", false, [200, "ab", "HTTP"]],
    ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na", "GET", true, undefined],
    ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", "GET", false, [204, "", ""]],
    ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "HEAD", false, [200, "", ""]],
    ["HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", "GET", false, [304, "", ""]],
    [
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\nx",
      "GET",
      false,
      [200, "abc", "x"],
    ],
    [
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nA: b\r\n\r\n",
      "GET",
      false,
      [200, "a", ""],
    ],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na", "GET", true, undefined],
    ["HTTP/1.1 200 OK\r\n\r\nabc", "GET", false, undefined],
    ["HTTP/1.1 200 OK\r\n\r\nabc", "GET", true, [200, "abc", ""]],
    ["HTTP/1.1 200", "GET", true, undefined],
  ] as const)("%j", (text, method, ended, expected) => {
    expect(parse(text, method, ended)).toEqual(expected);
  });
});

it("the throwaway certificate is one that a client trusts by name", async () => {
  const { key, cert } = throwawayCertificate();
  const server = createHttps({ key, cert }, (_req, res) => void res.end());
  cleanups.push(() => {
    server.close();
    server.closeAllConnections();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const ask = (servername: string) =>
    new Promise((resolve) => {
      request({ port, host: "127.0.0.1", ca: cert, servername }, (res) => resolve(res.statusCode))
        .on("error", (error) => resolve((error as { code?: string }).code))
        .end();
    });
  expect(await ask("a.test")).toBe(200);
  expect(await ask("b.test")).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
});
