import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import type { HeaderField, RawRequest } from "../model/request.js";
import { compileNormalizer } from "./index.js";
import { accepted, normalizerFor, outcome, rawRequest, resolved } from "./normalize.test-support.js";

const normalize = normalizerFor();
const HOST: HeaderField = ["Host", "a.test"];

function codeOf(changes: Partial<RawRequest>): string {
  const result = outcome(normalize(rawRequest(changes)));
  return typeof result === "string" ? result : "accepted";
}
const withHeaders = (...headers: HeaderField[]) => codeOf({ headers: [HOST, ...headers] });

describe("the forms of headers", () => {
  const fields: HeaderField[] = [
    HOST,
    ["X-A", " one\t"],
    ["Accept", "text/html"],
    ["accept", "*/*"],
    ["Cookie", "a=1"],
    ["cookie", "b=2"],
  ];
  const expected = [
    ["host", "a.test"],
    ["x-a", "one"],
    ["accept", "text/html, */*"],
    ["cookie", "a=1; b=2"],
  ];

  it("reads pairs and Node's flat list alike", () => {
    for (const headers of [fields, fields.flat()]) {
      expect([...accepted(normalize(rawRequest({ headers }))).headers]).toEqual(expected);
    }
  });

  it("reads a record", () => {
    const request = accepted(normalize(rawRequest({ headers: { Host: "a.test", "X-A": "one" } })));
    expect([...request.headers]).toEqual([
      ["host", "a.test"],
      ["x-a", "one"],
    ]);
  });

  it("finds duplicates in a record that differ in case", () => {
    expect(codeOf({ headers: { Host: "a.test", host: "b.test" } })).toBe("duplicate-header");
  });

  it("refuses a flat list of odd length", () => {
    expect(codeOf({ headers: ["Host", "a.test", "X-A"] })).toBe("malformed-request");
  });

  it("keeps every name that is a property of objects elsewhere", () => {
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
    const request = accepted(
      normalize(rawRequest({ headers: [HOST, ...names.map((name): HeaderField => [name, "x"])] })),
    );
    expect(names.map((name) => request.headers.get(name.toLowerCase()))).toEqual(["x", "x", "x", "x"]);
    expect(accepted(normalize(rawRequest())).headers.get("constructor")).toBeUndefined();
  });

  it("does not read an underscore as a hyphen", () => {
    const request = accepted(normalize(rawRequest({ headers: [HOST, ["X_Forwarded_For", "1.2.3.4"]] })));
    expect(request.headers.has("x-forwarded-for")).toBe(false);
    expect(request.headers.get("x_forwarded_for")).toBe("1.2.3.4");
  });
});

describe("fields that split or double a message", () => {
  it.each([
    "",
    " ",
    "X A",
    "X:A",
    "X-A ",
    "X-\u00C4",
    "X\u0000",
    "X\nA",
    "(x)",
    ":authority",
    ":path",
    "x\u2028",
  ])("%j is no name", (name) => {
    expect(withHeaders([name, "x"])).toBe("malformed-request");
  });

  it.each(["a\r\nX-B: c", "a\nb", "a\u0000b", "a\rb"])("%j is no value", (value) => {
    expect(withHeaders(["X-A", value])).toBe("malformed-request");
  });

  it.each([
    "Host",
    "Content-Length",
    "Authorization",
    "Content-Type",
    "Origin",
    "Sec-Fetch-Site",
    "Sec-Fetch-Mode",
    "Sec-Fetch-Dest",
    "Referer",
    "User-Agent",
    "Range",
    "If-Range",
    "DPoP",
    "Access-Control-Request-Method",
    "Sec-WebSocket-Key",
    "Idempotency-Key",
    "Proxy-Authorization",
  ])("two %s are refused, equal or not, in any case", (name) => {
    const value = name === "Host" ? "a.test" : "1";
    for (const second of [value, "2"]) {
      const headers: HeaderField[] = [
        [name, value],
        [name.toUpperCase(), second],
      ];
      expect(codeOf({ headers: name === "Host" ? headers : [HOST, ...headers] })).toBe("duplicate-header");
    }
  });

  it("two of a field that the policy takes a credential or the client's address from are refused", () => {
    const policy = resolved({
      transport: { trust: { peers: ["loopback"], header: "CF-Connecting-IP" } },
      authenticators: { partner: { type: "api-key", in: "header", name: "X-Api-Key", keys: [] } },
    });
    const strict = compileNormalizer(policy);
    for (const name of ["X-API-Key", "cf-connecting-ip"]) {
      expect(outcome(strict(rawRequest({ headers: [HOST, [name, "a"], [name, "b"]] })))).toBe(
        "duplicate-header",
      );
      expect(
        accepted(normalize(rawRequest({ headers: [HOST, [name, "a"], [name, "b"]] }))).headers.get(
          name.toLowerCase(),
        ),
      ).toBe("a, b");
    }
  });

  it("joins what is a list", () => {
    const request = accepted(
      normalize(
        rawRequest({ headers: [HOST, ["X-Forwarded-For", "1.1.1.1"], ["X-Forwarded-For", "2.2.2.2"]] }),
      ),
    );
    expect(request.headers.get("x-forwarded-for")).toBe("1.1.1.1, 2.2.2.2");
  });
});

describe("framing", () => {
  it.each(["", "+5", "-1", "5,5", "5, 5", "0x10", "1e3", "5.0", "5 5", "9999999999999999", "٥"])(
    "Content-Length %j is refused",
    (value) => {
      expect(withHeaders(["Content-Length", value])).toBe("ambiguous-framing");
    },
  );

  it.each(["gzip, chunked", "chunked, chunked", "identity", "xchunked", "", "chunked;q=1"])(
    "Transfer-Encoding %j is refused",
    (value) => {
      expect(withHeaders(["Transfer-Encoding", value])).toBe("ambiguous-framing");
    },
  );

  it("refuses a length beside an encoding, and an encoding in HTTP/1.0", () => {
    expect(withHeaders(["Content-Length", "5"], ["Transfer-Encoding", "chunked"])).toBe("ambiguous-framing");
    expect(codeOf({ httpVersion: "1.0", headers: [HOST, ["Transfer-Encoding", "chunked"]] })).toBe(
      "ambiguous-framing",
    );
  });

  it.each([
    [[], undefined, false],
    [[["Content-Length", "0"]], 0, false],
    [[["Content-Length", "12"]], 12, true],
    [[["Content-Length", "007"]], 7, true],
    [[["Transfer-Encoding", "Chunked"]], undefined, true],
  ] as const)("%j has the length %j and content: %j", (headers, contentLength, hasContent) => {
    expect(accepted(normalize(rawRequest({ method: "POST", headers: [HOST, ...headers] })))).toMatchObject({
      contentLength,
      hasContent,
    });
  });

  it.each([
    "authorization",
    "close, authorization",
    "Cookie",
    "x-forwarded-for",
    "content-length",
    "transfer-encoding",
    "x-tenant",
    "host",
    "trailer",
    "a b",
  ])("Connection: %s would take a field away behind us", (value) => {
    expect(withHeaders(["Connection", value])).toBe("ambiguous-framing");
  });

  it.each(["close", "keep-alive", "Keep-Alive", "close, TE", "", "keep-alive, , Upgrade"])(
    "Connection: %s is the connection's own",
    (value) => {
      expect(withHeaders(["Connection", value])).toBe("accepted");
    },
  );

  it("finds a request to upgrade", () => {
    const upgrade = (headers: HeaderField[], changes: Partial<RawRequest> = {}) =>
      accepted(normalize(rawRequest({ headers: [HOST, ...headers], ...changes }))).upgrade;
    expect(
      upgrade([
        ["Connection", "keep-alive, Upgrade"],
        ["Upgrade", "websocket"],
      ]),
    ).toBe(true);
    expect(
      upgrade([
        ["Connection", "Upgrade, HTTP2-Settings"],
        ["Upgrade", "h2c"],
        ["HTTP2-Settings", "AA"],
      ]),
    ).toBe(true);
    expect(upgrade([["Upgrade", "websocket"]])).toBe(false);
    expect(upgrade([["Connection", "upgrade"]])).toBe(false);
    expect(upgrade([], { upgrade: true })).toBe(true);
  });
});

describe("requests that ask for something else", () => {
  it.each(["X-HTTP-Method-Override", "x-http-method", "X-Method-Override"])(
    "%s is refused, whatever it says",
    (name) => {
      expect(withHeaders([name, "DELETE"])).toBe("method-override");
      expect(withHeaders([name, ""])).toBe("method-override");
    },
  );

  it("knows one expectation", () => {
    expect(withHeaders(["Expect", "100-Continue"])).toBe("accepted");
    for (const value of ["", "200-ok", "100-continue, x", "100-continuee"])
      expect(withHeaders(["Expect", value])).toBe("expectation-failed");
    expect(withHeaders(["Expect", "100-continue"], ["Expect", "100-continue"])).toBe("expectation-failed");
  });

  it.each([
    ["GET", "accepted"],
    ["HEAD", "accepted"],
    ["OPTIONS", "accepted"],
    ["POST", "too-early"],
    ["DELETE", "too-early"],
    ["QUERY", "too-early"],
  ])("%s as early data: %s", (method, expected) => {
    for (const value of ["1", "0", ""])
      expect(codeOf({ method, headers: [HOST, ["Early-Data", value]] })).toBe(expected);
  });

  it.each(["", "GE T", "GET\n", "G\u00CBT", "GET/", "a".repeat(65)])("%j is no method", (method) => {
    expect(codeOf({ method })).toBe("malformed-request");
  });

  it("leaves unknown methods and their case to the routes", () => {
    for (const method of ["get", "QUERY", "PROPFIND", "TRACE"])
      expect(accepted(normalize(rawRequest({ method }))).method).toBe(method);
  });
});

describe("bounds of the header section", () => {
  it("counts fields", () => {
    const fields = (count: number) =>
      Array.from({ length: count }, (_, index): HeaderField => [`X-${index}`, "x"]);
    expect(withHeaders(...fields(99))).toBe("accepted");
    expect(withHeaders(...fields(100))).toBe("header-section-too-large");
    expect(withHeaders(...Array.from({ length: 100 }, (): HeaderField => ["X-A", "x"]))).toBe(
      "header-section-too-large",
    );
  });

  it("counts bytes", () => {
    expect(withHeaders(["X-A", "a".repeat(16_384 - 14 - 7)])).toBe("accepted");
    expect(withHeaders(["X-A", "a".repeat(16_384 - 14 - 6)])).toBe("header-section-too-large");
  });

  it("takes other bounds", () => {
    const tight = normalizerFor({}, { maxHeaderCount: 1, maxTargetLength: 4 });
    expect(outcome(tight(rawRequest({ headers: [HOST, ["X-A", "x"]] })))).toBe("header-section-too-large");
    expect(outcome(tight(rawRequest({ target: "/1234" })))).toBe("target-too-long");
  });
});

describe("the host", () => {
  const host = (value: string, encrypted = false) => {
    const result = outcome(normalize(rawRequest({ headers: [["Host", value]], encrypted })));
    return typeof result === "string" ? result : result.host;
  };

  it.each([
    ["a.test", false, "a.test"],
    ["A.TEST", false, "a.test"],
    ["a.test.", false, "a.test"],
    ["a.test:80", false, "a.test"],
    ["a.test.:80", false, "a.test"],
    ["a.test:443", true, "a.test"],
    ["a.test:443", false, "a.test:443"],
    ["a.test:80", true, "a.test:80"],
    ["a.test:8443", true, "a.test:8443"],
    ["localhost", false, "localhost"],
    ["my_service:3000", false, "my_service:3000"],
    ["127.0.0.1:80", false, "127.0.0.1"],
    ["[::1]", false, "[::1]"],
    ["[2001:DB8:0::1]:8080", false, "[2001:db8::1]:8080"],
    ["[::1]:80", false, "[::1]"],
  ] as const)("%s (TLS: %s) is %s", (value, encrypted, expected) => {
    expect(host(value, encrypted)).toBe(expected);
  });

  it.each([
    "user@a.test",
    "user:pw@a.test",
    "a.test,b.test",
    "a.test b.test",
    "a.test/x",
    "a.test?x",
    "a.test#x",
    "a.test\\x",
    "http://a.test",
    "a..test",
    ".a.test",
    "a.test..",
    ".",
    "a.test:",
    "a.test:0443",
    "a.test:65536",
    "a.test:4x",
    "a.test:+80",
    "a.test:80:80",
    "[::1",
    "[::1]x",
    "[::1%eth0]",
    "[]",
    "::1",
    "a%2etest",
    "caf\u00E9.test",
    "*",
    "a.test:80@b.test",
    "a".repeat(301),
  ])("%j is no host", (value) => {
    expect(host(value)).toBe("ambiguous-host");
  });

  it("must be named from HTTP/1.1 on", () => {
    expect(codeOf({ headers: [] })).toBe("ambiguous-host");
    expect(codeOf({ headers: [["Host", ""]] })).toBe("ambiguous-host");
    expect(accepted(normalize(rawRequest({ httpVersion: "1.0", headers: [] }))).host).toBe("");
    expect(
      accepted(normalize(rawRequest({ httpVersion: "1.0", headers: [], target: "http://b.test/" }))).host,
    ).toBe("b.test");
  });
});

describe("HTTP/2", () => {
  const h2 = (headers: HeaderField[], changes: Partial<RawRequest> = {}) => {
    const result = outcome(normalize(rawRequest({ httpVersion: "2.0", headers, ...changes })));
    return typeof result === "string" ? result : result.host;
  };
  const authority: HeaderField = [":authority", "A.test:443"];

  it("names the host in `:authority`", () => {
    const request = accepted(
      normalize(
        rawRequest({
          httpVersion: "2.0",
          encrypted: true,
          headers: [[":method", "GET"], [":scheme", "https"], authority, [":path", "/"], ["x-a", "b"]],
        }),
      ),
    );
    expect([request.host, request.scheme, [...request.headers]]).toEqual([
      "a.test",
      "https",
      [
        ["x-a", "b"],
        ["host", "A.test:443"],
      ],
    ]);
  });

  it("refuses a Host that differs, and takes one that is the same", () => {
    expect(h2([authority, ["host", "b.test"]], { encrypted: true })).toBe("ambiguous-host");
    expect(h2([authority, ["host", "a.test"]], { encrypted: true })).toBe("a.test");
    expect(h2([authority, ["host", "a.test"]], { encrypted: false })).toBe("ambiguous-host");
    expect(h2([["host", "a.test"]])).toBe("a.test");
  });

  it.each([
    [[authority, authority], "duplicate-header"],
    [[["host", "a.test"], authority], "malformed-request"],
    [[authority, [":status", "200"]], "malformed-request"],
    [[[":method", "POST"], authority], "malformed-request"],
    [[[":path", "/other"], authority], "malformed-request"],
    [[authority, ["connection", "close"]], "malformed-request"],
    [[authority, ["transfer-encoding", "chunked"]], "malformed-request"],
    [[authority, ["upgrade", "h2c"]], "malformed-request"],
    [[[":authority", "u@a.test"]], "ambiguous-host"],
  ] as [HeaderField[], string][])("%j: %s", (headers, expected) => {
    expect(h2(headers)).toBe(expected);
  });
});

describe("every request", () => {
  const anything = fc.record({
    method: fc.oneof(fc.constantFrom("GET", "POST", "OPTIONS"), fc.string()),
    target: fc.oneof(fc.constantFrom("/", "*", "/a?b"), fc.string()),
    headers: fc.array(
      fc.tuple(
        fc.oneof(
          fc.constantFrom("Host", "Content-Length", "Connection", "Forwarded", "Cookie", "__proto__"),
          fc.string(),
        ),
        fc.string(),
      ),
    ),
    remoteAddress: fc.option(fc.oneof(fc.constant("127.0.0.1"), fc.string()), { nil: undefined }),
    httpVersion: fc.constantFrom("1.0", "1.1", "2.0"),
  });

  test.prop([anything], { numRuns: 1000 })("garbage_never_throws", (raw) => {
    const result = normalizerFor({ trust: { peers: ["loopback"], header: "forwarded", host: true } })(raw);
    expect("kind" in result ? result.kind : "request").toMatch(/^(?:refusal|request)$/);
  });

  test.prop([fc.array(anything, { maxLength: 5 })])("one_request_leaves_nothing_to_the_next", (before) => {
    const shared = normalizerFor();
    for (const raw of before) shared(raw);
    const raw = rawRequest({ target: "/a?b", headers: [HOST, ["Cookie", "a=1"]] });
    expect(shared(raw)).toEqual(normalizerFor()(raw));
  });
});
