import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { resolvePolicy } from "../../compile/resolve.js";
import { Report } from "../../errors/diagnostics.js";
import type { CorsSettings, PolicyDocument, RouteSettings } from "../../model/policy.js";
import { stateFor } from "../../model/state.test-support.js";
import type { ResolvedPolicy } from "../../model/resolved.js";
import { compileCors } from "./compile.js";
import { corsKind } from "./index.js";
import { foreignMethods, routesApart } from "./methods.js";
import { compileOrigins } from "./origins.js";

const OPEN: RouteSettings = { authenticate: "none" };

function resolve(document: Partial<PolicyDocument>): ResolvedPolicy {
  const report = new Report();
  const policy = resolvePolicy(
    { gatehouse: 1, name: "test", routes: { "GET /": OPEN }, ...document },
    report,
  );
  if (policy === undefined) throw new Error(JSON.stringify(report.diagnostics));
  return policy;
}

function check(cors: CorsSettings): readonly (string | undefined)[][] {
  const report = new Report();
  corsKind.check(resolve({ cors, routes: { "GET /": OPEN, "GET /b": OPEN } }), report);
  return report.diagnostics.map(({ severity, code, pointer, message, help }) => [
    severity,
    code,
    pointer,
    message,
    help,
  ]);
}

describe("origins that are no origins", () => {
  const how =
    "write a scheme and a host in lower case, as in `https://shop.example.com`, or `https://*.example.com` for exactly one more label";
  it.each([
    ["https://a.test/", "an origin has no path: did you mean `https://a.test`?"],
    ["HTTPS://A.test/", "an origin has no path: did you mean `https://a.test`?"],
    ["a.test", how],
    ["https://A.test", how],
    ["https://a.test.", how],
    ["https://", how],
    ["https://*", how],
    ["https://*.", how],
    ["https://a.*.test", how],
    ["https://*.*.test", how],
    ["https://*a.test", how],
    ["https://a.test:*", how],
    ["https://u@a.test", how],
    ["https://a.test,https://b.test", how],
    ["https://a.test:99999", how],
    ["*.a.test", how],
    ["https://*.[::1]", how],
    ["https://a.test/path", how],
    ["/^https/", how],
  ])("%s", (origin, help) => {
    expect(check({ origins: [origin] })).toEqual([
      ["error", "invalid-origin", "/cors/origins/0", `\`${origin}\` is no origin`, help],
    ]);
  });

  it("other schemes, ports and addresses are origins", () => {
    expect(
      check({
        origins: [
          "capacitor://localhost",
          "http://localhost:3000",
          "https://[2001:db8::1]:8443",
          "chrome-extension://abcdef",
          "https://xn--caf-dma.test",
          "null",
        ],
      }),
    ).toEqual([]);
  });
});

describe("what would open too much", () => {
  it("a star with credentials", () => {
    expect(check({ origins: ["https://a.test", "*"], credentials: true })).toEqual([
      [
        "error",
        "wildcard-with-credentials",
        "/cors/origins/1",
        "`*` with `credentials` would let every site act as its visitor",
        "list the origins, or leave `credentials` out",
      ],
      [
        "warning",
        "redundant-origin",
        "/cors/origins",
        "`*` admits every origin, so the others beside it say nothing",
        "keep `*`, or the list",
      ],
    ]);
  });

  it("`null` with credentials", () => {
    expect(check({ origins: ["null"], credentials: true })).toEqual([
      [
        "error",
        "null-with-credentials",
        "/cors/origins/0",
        "`null` is the origin of every sandboxed frame, whoever wrote it",
        "leave `null` or `credentials` out",
      ],
    ]);
  });

  it("a star among names of headers", () => {
    const message = (key: string) =>
      `\`*\` in \`${key}\` means different things with and without credentials`;
    expect(check({ origins: ["*"], requestHeaders: ["X-A", "*"], expose: ["*"] })).toEqual([
      ["error", "wildcard-header", "/cors/requestHeaders/1", message("requestHeaders"), "name each header"],
      ["error", "wildcard-header", "/cors/expose/0", message("expose"), "name each header"],
    ]);
  });
});

describe("matching", () => {
  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?$/);
  const text = fc.oneof(
    fc.string(),
    fc.webUrl(),
    fc
      .tuple(
        fc.constantFrom("https://", "http://", "https:"),
        fc.array(
          fc.oneof(label, fc.constantFrom("*", "", "@", "_", "partners", "example", "com", "a", "test")),
          { maxLength: 5 },
        ),
        fc.constantFrom("", ":443", ":8443", "/", "."),
      )
      .map(([scheme, labels, end]) => scheme + labels.join(".") + end),
  );
  const matcher = compileOrigins(["https://a.test", "https://*.partners.example.com", "http://b.test:8080"]);

  test.prop([text], { numRuns: 3000 })("acao_is_never_an_unlisted_value", (origin) => {
    const value = matcher(origin);
    if (value === undefined) return;
    expect(value).toMatch(
      /^(?:https:\/\/a\.test|https:\/\/[a-z0-9-]{1,63}\.partners\.example\.com|http:\/\/b\.test:8080)$/,
    );
    expect([value, `${value}:443`]).toContain(origin);
  });

  test.prop([label])("one_whole_label_stands_for_a_wildcard", (name) => {
    const origin = `https://${name}.partners.example.com`;
    expect(matcher(origin)).toBe(origin);
    for (const other of [
      `https://x.${name}.partners.example.com`,
      `https://${name}partners.example.com`,
      `${origin}.${name}`,
      `http://${name}.partners.example.com`,
    ]) {
      expect(matcher(other)).toBeUndefined();
    }
  });
});

describe("a star", () => {
  const any = compileOrigins(["*", "null"]);

  it("answers whatever is an origin, and `null` only by its name", () => {
    expect(["https://stranger.test", "http://a.test:81", "null"].map((origin) => any(origin))).toEqual([
      "*",
      "*",
      "null",
    ]);
    expect(compileOrigins(["*"])("null")).toBeUndefined();
  });

  it.each(["", "https://a.test, https://b.test", "https://a.test/x", "a.test", "https://u@a.test"])(
    "says nothing to %j",
    (origin) => {
      expect(any(origin)).toBeUndefined();
    },
  );
});

describe("methods of other routes", () => {
  const other: CorsSettings = { origins: ["https://b.test"] };
  const policy = resolve({
    cors: { origins: ["https://a.test"] },
    routes: {
      "GET /x": OPEN,
      "PUT /x": { ...OPEN, cors: other },
      "DELETE /:any": { ...OPEN, cors: "none" },
      "PATCH /*": { ...OPEN, cors: other },
      "POST /y/z": { ...OPEN, cors: other },
      "GET /y": OPEN,
      "GET /X/": { ...OPEN, cors: other },
      "GET /q/:a": OPEN,
      "PURGE /q/:b/": { ...OPEN, cors: other },
      "LINK /q/:b": { ...OPEN, cors: other },
    },
  });
  const foreign = (key: string) => {
    const route = policy.routes.find((candidate) => candidate.key === key);
    if (route === undefined) throw new Error(key);
    return [...foreignMethods(route, routesApart(policy)(route))].sort();
  };

  it("are those that may share a path, however a framework matches", () => {
    expect(foreign("GET /x")).toEqual(["DELETE", "GET", "HEAD", "PATCH", "PUT"]);
    expect(foreign("GET /y")).toEqual(["DELETE", "PATCH"]);
    expect(foreign("GET /q/:a")).toEqual(["LINK", "PATCH", "PURGE"]);
    expect(foreign("PUT /x")).toEqual(["DELETE", "GET", "HEAD", "PATCH"]);
  });
});

describe("fields", () => {
  const policy = resolve({
    cors: { origins: ["https://a.test"] },
    routes: { "GET /": OPEN, "GET /none": { ...OPEN, cors: "none" } },
  });
  const compiled = compileCors(policy);
  const [route, none] = policy.routes;

  it("take out whatever the handler says of the protocol", () => {
    const remove = [
      "access-control-allow-origin",
      "access-control-allow-credentials",
      "access-control-allow-methods",
      "access-control-allow-headers",
      "access-control-allow-private-network",
      "access-control-expose-headers",
      "access-control-max-age",
    ];
    expect(route && compiled.headers?.(route)).toEqual({
      remove,
      vary: ["Origin"],
      dynamic: expect.any(Function) as unknown,
    });
    expect(none && compiled.headers?.(none)).toEqual({ remove });
    expect(compileCors(resolve({})).headers?.(resolve({}).unmatched)).toBeUndefined();
  });

  test.prop([fc.string(), fc.string(), fc.boolean()], { numRuns: 500 })(
    "no_byte_of_the_request_is_echoed",
    (origin, asked, preflight) => {
      const sent: [string, string][] = [];
      const headers = new Map([
        ["origin", origin],
        ["access-control-request-headers", asked],
        ["access-control-request-method", "GET"],
      ]);
      const contribution = route && compiled.headers?.(route);
      contribution?.dynamic?.(
        stateFor({ preflight, allowedMethods: ["GET", "HEAD"], request: { headers } }),
        {
          set: (name, value) => void sent.push([name, value]),
          add: ([name, value]) => void sent.push([name, value]),
        },
      );
      for (const [, value] of sent) {
        expect(["https://a.test", "GET, HEAD", "Content-Type, Authorization", "X-Request-Id"]).toContain(
          value,
        );
      }
      if (origin !== "https://a.test") expect(sent).toEqual([]);
    },
  );

  const list = fc.subarray(["DELETE", "GET", "HEAD", "POST"]);
  test.prop([fc.array(list, { minLength: 2, maxLength: 6 }), fc.infiniteStream(fc.nat(5))])(
    "methods_are_those_of_the_place_that_is_asked_for",
    (places, order) => {
      const contribution = route && compiled.headers?.(route);
      for (const at of order.take(12)) {
        const allowedMethods = places[at % places.length] ?? [];
        const sent = new Map<string, string>();
        const headers = new Map([
          ["origin", "https://a.test"],
          ["access-control-request-method", "GET"],
        ]);
        contribution?.dynamic?.(stateFor({ preflight: true, allowedMethods, request: { headers } }), {
          set: (name, value) => void sent.set(name, value),
          add: ([name, value]) => void sent.set(name, value),
        });
        expect(sent.get("Access-Control-Allow-Methods")).toBe(allowedMethods.join(", "));
      }
    },
  );
});
