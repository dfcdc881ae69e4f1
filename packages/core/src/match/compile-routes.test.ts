import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { resolveLeniently } from "../compile/resolve.js";
import { Report } from "../errors/diagnostics.js";
import type { NormalizedRequest } from "../model/request.js";
import type { PolicyDocument } from "../model/policy.js";
import type { ResolvedPolicy } from "../model/resolved.js";
import { compileNormalizer, isRefusal } from "../normalize/index.js";
import { compileRouter } from "./compile-routes.js";
import { oracleAllowed, oracleMatch } from "./oracle.test-support.js";
import type { FrameworkMatching, Router } from "./router.js";

function policyOf(routes: readonly string[], groups: readonly string[] = []): ResolvedPolicy {
  const open = { authenticate: "none" } as const;
  const document: PolicyDocument = {
    gatehouse: 1,
    name: "test",
    groups: Object.fromEntries(groups.map((prefix) => [prefix, {}])),
    routes: Object.fromEntries(routes.map((key) => [key, open])),
  };
  return resolveLeniently(document, new Report());
}

function normalized(policy: ResolvedPolicy, target: string): NormalizedRequest | undefined {
  const result = compileNormalizer(policy)({ method: "GET", target, headers: [["Host", "a.test"]] });
  return isRefusal(result) ? undefined : result;
}

describe("the router of no framework in particular", () => {
  it("is made once, and its problems are told whoever asks", () => {
    const fine = policyOf(["GET /a", "GET /b/:x"]);
    const report = new Report();
    expect(compileRouter(fine, {}, report)).toBe(compileRouter(fine, {}, report));
    expect(compileRouter(fine, { caseSensitive: false }, report)).not.toBe(compileRouter(fine, {}, report));
    const rivals = policyOf(["GET /a/:x", "GET /a/:y"]);
    for (const _ of [1, 2]) {
      const told = new Report();
      compileRouter(rivals, {}, told);
      expect(told.diagnostics.map(({ code }) => code)).toEqual(["indistinguishable-routes"]);
    }
  });
});

interface Subject {
  readonly report: Report;
  /** Key of the route and its parameters, `ambiguous`, or undefined. */
  readonly go: (
    method: string,
    target: string,
  ) => readonly [string, Record<string, string>] | "ambiguous" | undefined;
  readonly allowed: (target: string) => readonly string[];
}

function subject(
  routes: readonly string[],
  groups: readonly string[] = [],
  matching: FrameworkMatching = {},
): Subject {
  const report = new Report();
  const policy = policyOf(routes, groups);
  const router: Router = compileRouter(policy, matching, report);
  const request = (target: string) => {
    const read = normalized(policy, target);
    if (read === undefined) throw new Error("the target was refused");
    return read;
  };
  return {
    report,
    go(method, target) {
      const match = router.match(method, request(target));
      if (match === undefined || match === "ambiguous") return match;
      return [policy.routes[match.route]?.key ?? "", { ...match.params }];
    },
    allowed: (target) => router.allowed(request(target)),
  };
}

describe("specificity", () => {
  const { go } = subject([
    "GET /",
    "GET /a",
    "GET /a/:id",
    "GET /a/b",
    "GET /a/*",
    "GET /:x",
    "GET /:x/b/c",
    "GET /a/:id/d",
    "POST /a/b",
    "GET /files/*",
  ]);

  it.each([
    ["/", ["GET /", {}]],
    ["/a", ["GET /a", {}]],
    ["/z", ["GET /:x", { x: "z" }]],
    ["/a/b", ["GET /a/b", {}]],
    ["/a/7", ["GET /a/:id", { id: "7" }]],
    ["/a/b/d", ["GET /a/:id/d", { id: "b" }]],
    ["/a/b/c", ["GET /a/*", { "*": "b/c" }]],
    ["/z/b/c", ["GET /:x/b/c", { x: "z" }]],
    ["/a/b/c/d", ["GET /a/*", { "*": "b/c/d" }]],
    ["/files/a%20b/c", ["GET /files/*", { "*": "a b/c" }]],
    ["/files/x/", ["GET /files/*", { "*": "x/" }]],
    ["/files/", undefined],
    ["/files", ["GET /:x", { x: "files" }]],
    ["/a/", undefined],
    ["/z/", undefined],
    ["/z/z", undefined],
    ["/A", ["GET /:x", { x: "A" }]],
  ] as const)("%s", (target, expected) => {
    expect(go("GET", target)).toEqual(expected);
  });
});

describe("methods", () => {
  it("backtracks to a less specific path where the method fits", () => {
    const { go, allowed } = subject(["POST /a/b", "GET /a/:id", "* /a/*", "DELETE /:x/b"]);
    expect(go("GET", "/a/b")).toEqual(["GET /a/:id", { id: "b" }]);
    expect(go("PUT", "/a/b")).toEqual(["* /a/*", { "*": "b" }]);
    expect(go("DELETE", "/a/b")).toEqual(["* /a/*", { "*": "b" }]);
    expect(go("OPTIONS", "/a/b")).toBeUndefined();
    expect(allowed("/a/b")).toEqual(["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"]);
  });

  it("prefers a named method to `*`, and a HEAD route to a GET route", () => {
    const { go } = subject(["* /a", "GET /a", "GET /b", "HEAD /b", "* /c", "HEAD /:x"]);
    expect(go("GET", "/a")?.[0]).toBe("GET /a");
    expect(go("HEAD", "/a")?.[0]).toBe("GET /a");
    expect(go("POST", "/a")?.[0]).toBe("* /a");
    expect(go("HEAD", "/b")?.[0]).toBe("HEAD /b");
    expect(go("GET", "/b")?.[0]).toBe("GET /b");
    expect(go("HEAD", "/c")?.[0]).toBe("* /c");
    expect(go("HEAD", "/d")?.[0]).toBe("HEAD /:x");
    expect(go("GET", "/d")).toBeUndefined();
  });

  it("lists what a path knows, HEAD beside GET", () => {
    const { allowed } = subject(["GET /a", "POST /a", "PUT /:x", "OPTIONS /a/*", "* /any"]);
    expect(allowed("/a")).toEqual(["GET", "HEAD", "POST", "PUT"]);
    expect(allowed("/a/b")).toEqual(["OPTIONS"]);
    expect(allowed("/any")).toEqual(["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"]);
    expect(allowed("/x/y")).toEqual([]);
  });

  it("is case-sensitive about methods, and routes neither TRACE nor CONNECT by `*`", () => {
    const { go } = subject(["* /a"]);
    for (const method of ["get", "TRACE", "CONNECT", "QUERY", "OPTIONS", "__proto__", "constructor"])
      expect(go(method, "/a")).toBeUndefined();
  });

  it("matches nothing for the target `*`", () => {
    const policy = policyOf(["OPTIONS /:x", "OPTIONS /*"]);
    const router = compileRouter(policy, {}, new Report());
    const request = compileNormalizer(policy)({
      method: "OPTIONS",
      target: "*",
      headers: [["Host", "a.test"]],
    });
    if (isRefusal(request)) throw new Error("the target was refused");
    expect([router.match("OPTIONS", request), router.allowed(request)]).toEqual([undefined, []]);
  });
});

describe("groups close their prefixes", () => {
  const { go, allowed } = subject(
    [
      "GET /:page",
      "GET /*",
      "GET /:a/:b",
      "GET /admin/users",
      "POST /admin/users/:id",
      "GET /tenants/:t/admin/x",
      "GET /tenants/:t/:page",
      "GET /:x/y/z",
    ],
    ["/admin", "/tenants/:t/admin"],
  );
  it.each([
    ["/admin", undefined],
    ["/admin/other", undefined],
    ["/admin/", undefined],
    ["/admin/users", "GET /admin/users"],
    ["/admin/users/7", undefined],
    ["/admin/y/z", undefined],
    ["/administrator", "GET /:page"],
    ["/other/users", "GET /:a/:b"],
    ["/other/y/z", "GET /:x/y/z"],
    ["/tenants/5/admin", undefined],
    ["/tenants/5/admin/x", "GET /tenants/:t/admin/x"],
    ["/tenants/5/admin/y", undefined],
    ["/tenants/5/about", "GET /tenants/:t/:page"],
    ["/tenants/5/about/us", "GET /*"],
  ])("%s", (target, expected) => {
    expect(go("GET", target)?.[0]).toBe(expected);
  });

  it("knows no methods of routes that cannot reach in", () => {
    expect(allowed("/admin/users")).toEqual(["GET", "HEAD"]);
    expect(allowed("/admin/users/7")).toEqual(["POST"]);
    expect(allowed("/admin/x")).toEqual([]);
  });

  it("is told apart from a group with a parameter by the static text of a route", () => {
    const { go } = subject(["GET /files/public", "GET /:owner/:file"], ["/:owner"]);
    expect(go("GET", "/files/public")?.[0]).toBe("GET /files/public");
    expect(go("GET", "/files/other")?.[0]).toBe("GET /:owner/:file");
  });
});

describe("how a framework matches", () => {
  it("folds ASCII letters where it is insensitive to case, and parameters keep theirs", () => {
    const { go } = subject(["GET /Admin/:Id", "GET /İ"], [], { caseSensitive: false });
    expect(go("GET", "/ADMIN/Xy")).toEqual(["GET /Admin/:Id", { Id: "Xy" }]);
    expect(go("GET", "/admin/Xy")?.[0]).toBe("GET /Admin/:Id");
    expect(go("GET", "/i")).toBeUndefined();
    expect(go("GET", "/i%CC%87")).toBeUndefined();
    expect(go("GET", "/%C4%B0")?.[0]).toBe("GET /İ");
    expect(subject(["GET /k"], [], { caseSensitive: false }).go("GET", "/%E2%84%AA")).toBeUndefined();
  });

  it("closes groups in any case", () => {
    const { go } = subject(["GET /:page", "GET /admin/x"], ["/admin"], { caseSensitive: false });
    expect(go("GET", "/ADMIN")).toBeUndefined();
  });

  it("ignores one slash at the end where the framework does", () => {
    const { go } = subject(["GET /a", "GET /b/", "GET /c/:id", "GET /d/*", "GET /"], [], {
      trailingSlash: "ignored",
    });
    for (const target of ["/a", "/a/"]) expect(go("GET", target)?.[0]).toBe("GET /a");
    for (const target of ["/b", "/b/"]) expect(go("GET", target)?.[0]).toBe("GET /b/");
    expect(go("GET", "/c/7/")).toEqual(["GET /c/:id", { id: "7" }]);
    expect(go("GET", "/d/")).toBeUndefined();
    expect(go("GET", "/")?.[0]).toBe("GET /");
  });

  it("takes the slash at the end at its word otherwise", () => {
    const { go } = subject(["GET /a", "GET /b/"]);
    expect([go("GET", "/a/"), go("GET", "/b")]).toEqual([undefined, undefined]);
    expect(go("GET", "/b/")?.[0]).toBe("GET /b/");
  });

  it("refuses a target whose raw and decoded readings lead to different routes, however the framework reads", () => {
    for (const staticText of ["raw", "decoded"] as const) {
      const { go } = subject(["GET /admin", "GET /a/:id", "GET /a/b", "GET /café", "GET /*"], [], {
        staticText,
      });
      expect(go("GET", "/%61dmin")).toBe("ambiguous");
      expect(go("GET", "/a/%62")).toBe("ambiguous");
      expect(go("GET", "/%61/7")).toBe("ambiguous");
      expect(go("GET", "/a/%37")).toEqual(["GET /a/:id", { id: "7" }]);
      expect(go("GET", "/caf%C3%A9")?.[0]).toBe("GET /café");
      expect(go("GET", "/caf%c3%a9")).toBe("ambiguous");
      expect(go("GET", "/x%20y")).toEqual(["GET /*", { "*": "x y" }]);
    }
  });

  it("refuses it also where one reading leads nowhere", () => {
    const { go } = subject(["GET /admin"]);
    expect(go("GET", "/%61dmin")).toBe("ambiguous");
    expect(go("POST", "/%61dmin")).toBeUndefined();
  });
});

describe("parameters", () => {
  it("inherit nothing, and hold whatever name the pattern has", () => {
    const policy = policyOf(["GET /:toString/x", "GET /none"]);
    const router = compileRouter(policy, {}, new Report());
    for (const target of ["/v/x", "/none"]) {
      const request = normalized(policy, target);
      const match = request && router.match("GET", request);
      if (match === undefined || match === "ambiguous") throw new Error("no match");
      expect("constructor" in match.params).toBe(false);
      expect("hasOwnProperty" in match.params).toBe(false);
      expect(match.params["toString"]).toBe(target === "/none" ? undefined : "v");
    }
  });
});

describe("a framework whose `/files/*` serves `/files` too", () => {
  const routes = ["GET /files/*", "POST /files", "* /*", "GET /:a/*", "GET /x"];
  const { go, allowed } = subject(routes, [], { wildcard: "itself" });

  it.each([
    ["GET", "/files/a", "GET /files/*"],
    ["GET", "/files", undefined],
    ["HEAD", "/files", undefined],
    ["GET", "/files/", undefined],
    ["HEAD", "/files/", undefined],
    ["PUT", "/files/", "* /*"],
    ["GET", "/other/", undefined],
    ["POST", "/files", "POST /files"],
    ["PUT", "/files", "* /*"],
    ["GET", "/other", undefined],
    ["GET", "/other/b", "GET /:a/*"],
    ["GET", "/x", "GET /x"],
    ["PUT", "/other", "* /*"],
  ])("%s %s: %s", (method, target, route) => {
    expect(go(method, target)?.[0]).toBe(route);
  });

  it("allows what a less specific route decides, and not what is refused", () => {
    expect(allowed("/files")).toEqual(["DELETE", "PATCH", "POST", "PUT"]);
  });

  it("elsewhere the less specific route decides", () => {
    expect(subject(routes).go("GET", "/files")?.[0]).toBe("* /*");
    expect(subject(routes).go("GET", "/files/")?.[0]).toBe("* /*");
  });
});

describe("routes that cannot be told apart", () => {
  const diagnostics = (routes: readonly string[], matching: FrameworkMatching = {}) =>
    subject(routes, [], matching).report.diagnostics;

  it("are reported with both names", () => {
    expect(diagnostics(["GET /a/:x", "GET|POST /a/:y"])).toEqual([
      {
        code: "indistinguishable-routes",
        severity: "error",
        pointer: "/routes/GET|POST ~1a~1:y",
        message: "no request can tell `GET|POST /a/:y` and `GET /a/:x` apart",
        help: "keep one of them, or let their methods or the static text of their paths differ",
      },
    ]);
  });

  it.each([
    [["GET /A", "GET /a"], { caseSensitive: false }, 1],
    [["GET /A", "GET /a"], {}, 0],
    [["GET /a", "GET /a/"], { trailingSlash: "ignored" }, 1],
    [["GET /a", "GET /a/"], {}, 0],
    [["GET /a/*", "GET /a/:x"], {}, 0],
    [["HEAD /a", "GET /a"], {}, 0],
    [["* /a/:x", "* /a/:y"], {}, 1],
    [["* /a", "GET /a"], {}, 0],
    [["GET /:a/b", "GET /a/:b"], {}, 0],
  ] as const)("%j under %j: %i", (routes, matching, count) => {
    expect(diagnostics(routes, matching).map(({ code }) => code)).toEqual(
      Array.from({ length: count }, () => "indistinguishable-routes"),
    );
  });

  it("a route under `*` of which nothing is left is unreachable", () => {
    expect(diagnostics(["* /a", "GET /a", "POST|PUT|PATCH|DELETE /a"])).toEqual([
      {
        code: "unreachable-route",
        severity: "error",
        pointer: "/routes/* ~1a",
        message: "no request reaches `* /a`: routes that name their method cover each of its methods",
        help: "remove it, or one of the routes with a named method",
      },
    ]);
    expect(diagnostics(["* /a", "GET /a"])).toEqual([]);
  });

  it("a route outside of the mount prefix is named", () => {
    expect(
      diagnostics(["GET /v1/a", "GET /:version/b", "GET /v1", "GET /*", "GET /v2/a"], {
        mountPrefix: "/v1/",
      }),
    ).toEqual([
      {
        code: "route-outside-mount",
        severity: "warning",
        pointer: "/routes/GET ~1v2~1a",
        message: "`GET /v2/a` lies outside of `/v1/`, where this server is mounted",
        help: "policies name the full path; write the prefix too, or leave the route out",
      },
    ]);
  });
});

const word = fc.constantFrom("a", "b", "A", "é", "c d".replace(" ", "-"));
const patternPart = fc.oneof(
  { weight: 3, arbitrary: word },
  { weight: 2, arbitrary: fc.constantFrom(":x", ":y", ":z") },
);
const pattern = fc
  .tuple(
    fc.uniqueArray(patternPart, {
      maxLength: 4,
      selector: (part) => (part.startsWith(":") ? part : Symbol(part)),
    }),
    fc.constantFrom("", "", "/*", "/"),
  )
  .map(([parts, end]) =>
    parts.length === 0 && end !== "/*" ? "/" : parts.map((part) => `/${part}`).join("") + end,
  );
const method = fc.constantFrom("GET", "HEAD", "POST", "GET|POST", "*", "OPTIONS");
const table = fc.array(
  fc.tuple(method, pattern).map(([verb, path]) => `${verb} ${path}`),
  { minLength: 1, maxLength: 12 },
);
const prefixes = fc.array(
  fc
    .array(fc.oneof(word, fc.constantFrom(":x", ":q")), { maxLength: 3 })
    .map((parts) => `/${parts.join("/")}`),
  { maxLength: 3 },
);
const target = fc
  .tuple(
    fc.array(
      fc.oneof(
        { weight: 6, arbitrary: word.map((text) => encodeURI(text)) },
        fc.constantFrom("%61", "%C3%A9", "%c3%a9", "zz"),
      ),
      { maxLength: 5 },
    ),
    fc.constantFrom("", "", "/"),
  )
  .map(([parts, end]) => (parts.length === 0 ? "/" : parts.map((part) => `/${part}`).join("") + end));
const matchings = fc.record(
  {
    caseSensitive: fc.boolean(),
    trailingSlash: fc.constantFrom("significant" as const, "ignored" as const),
    staticText: fc.constantFrom("raw" as const, "decoded" as const),
  },
  { requiredKeys: [] },
);

describe("against the slow matcher", () => {
  test.prop([table, prefixes, matchings, fc.array(target, { minLength: 1, maxLength: 8 })], {
    numRuns: 1500,
  })("the_tree_finds_what_trying_every_route_finds", (routes, groups, matching, targets) => {
    const report = new Report();
    const policy = policyOf(routes, groups);
    const router = compileRouter(policy, matching, report);
    fc.pre(!report.diagnostics.some(({ code }) => code === "indistinguishable-routes"));
    for (const text of targets) {
      const request = normalized(policy, text);
      if (request === undefined) continue;
      for (const verb of ["GET", "HEAD", "POST", "PATCH", "OPTIONS"]) {
        const match = router.match(verb, request);
        const seen =
          typeof match === "object"
            ? { route: policy.routes[match.route]?.key, params: { ...match.params } }
            : match;
        expect(seen).toEqual(oracleMatch(policy, matching, verb, request));
      }
      expect(router.allowed(request)).toEqual(oracleAllowed(policy, matching, request.segments));
    }
  });

  test.prop([table, fc.array(target, { minLength: 1, maxLength: 5 })], { numRuns: 300 })(
    "order_never_matters",
    (routes, targets) => {
      const forward = subject(routes);
      const backward = subject(routes.toReversed());
      fc.pre(!forward.report.failed);
      for (const text of targets) {
        for (const verb of ["GET", "HEAD", "POST"])
          expect(backward.go(verb, text)).toEqual(forward.go(verb, text));
      }
    },
  );
});
