import { describe, expect, it } from "vitest";
import { resolvePolicy } from "../../compile/resolve.js";
import { type Diagnostic, Report } from "../../errors/diagnostics.js";
import type { HeaderContribution } from "../../model/compiled.js";
import type { CompileEnvironment } from "../../model/kind.js";
import type { PolicyDocument, RouteSettings } from "../../model/policy.js";
import type { ResolvedPolicy } from "../../model/resolved.js";
import { stricterCacheControl } from "./cache-control.js";
import { headersKind } from "./index.js";

const OPEN: RouteSettings = { authenticate: "none" };
const KNOWN: RouteSettings = { authorize: "authenticated" };

function documentWith(route: RouteSettings, rest: Partial<PolicyDocument> = {}): PolicyDocument {
  const authenticators = { user: { type: "api-key", in: "header", name: "x-api-key", keys: [] } } as const;
  return { gatehouse: 1, name: "t", authenticators, ...rest, routes: { "GET /": route } };
}

function resolve(document: PolicyDocument, report: Report): ResolvedPolicy {
  const policy = resolvePolicy(document, report);
  if (policy === undefined) throw new Error(JSON.stringify(report.diagnostics));
  return policy;
}

function diagnose(document: PolicyDocument): readonly Diagnostic[] {
  const report = new Report();
  headersKind.check(resolve(document, report), report);
  return report.diagnostics;
}

async function headersOf(
  route: RouteSettings,
  rest: Partial<PolicyDocument> = {},
): Promise<HeaderContribution> {
  const policy = resolve(documentWith(route, rest), new Report());
  const kind = await headersKind.compile(policy, {} as CompileEnvironment);
  const [resolved] = policy.routes;
  const contribution = resolved === undefined ? undefined : kind.headers?.(resolved);
  if (contribution === undefined) throw new Error("no contribution");
  return contribution;
}

const fields = ({ set }: HeaderContribution): Record<string, string> => Object.fromEntries(set ?? []);

describe("presets", () => {
  const common = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Origin-Agent-Cluster": "?1",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-DNS-Prefetch-Control": "off",
    "X-Download-Options": "noopen",
    "X-Permitted-Cross-Domain-Policies": "none",
    "X-XSS-Protection": "0",
  };

  it("is for APIs by default", async () => {
    expect(fields(await headersOf(OPEN))).toEqual({
      ...common,
      "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
      "X-Frame-Options": "DENY",
    });
  });

  it("is helmet's for pages", async () => {
    expect(fields(await headersOf({ ...OPEN, headers: { preset: "web" } }))).toEqual({
      ...common,
      "Content-Security-Policy":
        "default-src 'self';base-uri 'self';font-src 'self' https: data:;form-action 'self';frame-ancestors 'self';img-src 'self' data:;object-src 'none';script-src 'self';script-src-attr 'none';style-src 'self' https: 'unsafe-inline';upgrade-insecure-requests",
      "X-Frame-Options": "SAMEORIGIN",
    });
  });

  it("is the one for pages where a browser is the audience, unless one is written", async () => {
    const page = fields(await headersOf({ ...OPEN, audience: "browser" }));
    expect(page["X-Frame-Options"]).toBe("SAMEORIGIN");
    const written = fields(await headersOf({ ...OPEN, audience: "browser", headers: { preset: "api" } }));
    expect(written["X-Frame-Options"]).toBe("DENY");
  });

  it("takes out what gives the server away", async () => {
    expect((await headersOf(OPEN)).remove).toEqual(["x-powered-by", "server"]);
  });
});

describe("overrides", () => {
  it("takes values, keep and remove by name, whatever their case", async () => {
    const contribution = await headersOf({
      ...OPEN,
      headers: {
        "x-frame-options": "SAMEORIGIN",
        "Referrer-Policy": "keep",
        "X-XSS-Protection": "remove",
        Server: "keep",
        "X-Own": "1",
      },
    });
    const set = fields(contribution);
    expect(set["x-frame-options"]).toBe("SAMEORIGIN");
    expect(set["X-Own"]).toBe("1");
    expect(
      ["X-Frame-Options", "Referrer-Policy", "X-XSS-Protection", "Server"].filter((name) => name in set),
    ).toEqual([]);
    expect(contribution.remove).toEqual(["x-powered-by", "x-xss-protection"]);
  });

  it("merges Vary", async () => {
    const contribution = await headersOf({ ...OPEN, headers: { Vary: "Accept-Language, Accept" } });
    expect(contribution.vary).toEqual(["Accept-Language", "Accept"]);
    expect(fields(contribution)["Vary"]).toBeUndefined();
  });
});

describe("caching (B8.138)", () => {
  it("forbids storing what a known caller was shown", async () => {
    const contribution = await headersOf(KNOWN);
    expect(fields(contribution)["Cache-Control"]).toBe("no-store");
    expect(contribution.remove).toContain("surrogate-control");
    expect(contribution.mergeCacheControl).toBe(stricterCacheControl);
  });

  it("forbids it on optional routes too", async () => {
    const route: RouteSettings = { authenticate: ["optional", "user"], authorize: "anyone" };
    expect(fields(await headersOf(route))["Cache-Control"]).toBe("no-store");
  });

  it("says nothing on open routes", async () => {
    expect(fields(await headersOf(OPEN))["Cache-Control"]).toBeUndefined();
  });

  it("leaves it to the author who decides", async () => {
    const kept = await headersOf({ ...KNOWN, headers: { "Cache-Control": "keep" } });
    expect(fields(kept)["Cache-Control"]).toBeUndefined();
    expect(kept.remove).toEqual(["x-powered-by", "server"]);
    expect(
      fields(await headersOf({ ...KNOWN, headers: { "cache-control": "private, max-age=5" } }))[
        "cache-control"
      ],
    ).toBe("private, max-age=5");
  });

  it.each([
    ["public, max-age=600", "no-store", "no-store"],
    ["private, no-store", "public", "private, no-store"],
    ["No-Store", "private", "No-Store"],
    ["no-cache", "private", "no-cache"],
    ["private, max-age=10", "private, max-age=60", "private, max-age=10"],
    ["private, max-age=60", "private, max-age=10", "private, max-age=10"],
    ["public, s-maxage=5", "max-age=60", "public, s-maxage=5"],
    ["public, max-age=1", "private, max-age=600", "private, max-age=600"],
    ['private="set-cookie"', "private", "private"],
    ['no-cache="x"', "private", "private"],
    ['extension="a, no-store, b"', "private", "private"],
    ['extension="a\\", no-store, b"', "private", "private"],
    ["nonsense", "public", "public"],
    ["", "no-store", "no-store"],
  ])("of %j and %j keeps %j", (theirs, ours, kept) => {
    expect(stricterCacheControl(theirs, ours)).toBe(kept);
  });
});

describe("deprecation", () => {
  it("is a structured date and an HTTP date", async () => {
    const deprecated = { since: "2026-01-01", sunset: "2026-12-31T23:59:59Z" };
    const set = fields(await headersOf({ ...OPEN, deprecated }));
    expect([set["Deprecation"], set["Sunset"]]).toEqual(["@1767225600", "Thu, 31 Dec 2026 23:59:59 GMT"]);
  });

  it("needs no sunset", async () => {
    const set = fields(await headersOf({ ...OPEN, deprecated: { since: "2026-01-01" } }));
    expect([set["Deprecation"], set["Sunset"]]).toEqual(["@1767225600", undefined]);
  });

  it("refuses days that do not exist, and a sunset before the deprecation", () => {
    const pointer = "/routes/GET ~1/deprecated";
    expect(diagnose(documentWith({ ...OPEN, deprecated: { since: "2026-02-30" } }))).toEqual([
      {
        code: "invalid-date",
        severity: "error",
        pointer: `${pointer}/since`,
        message: "`2026-02-30` is no date",
        help: "write `2026-06-01` or `2026-06-01T12:00:00Z`",
      },
    ]);
    expect(
      diagnose(documentWith({ ...OPEN, deprecated: { since: "2026-06-01", sunset: "2026-05-31" } })),
    ).toEqual([
      {
        code: "invalid-date",
        severity: "error",
        pointer: `${pointer}/sunset`,
        message: "the sunset lies before the deprecation",
      },
    ]);
  });
});

describe("checks", () => {
  it.each([
    ["X Y", "1", "invalid-header"],
    ["X-A", "", "invalid-header"],
    ["X-A", "a\r\nSet-Cookie: b=c", "invalid-header"],
    ["X-A", "a\u0000", "invalid-header"],
    ["X-A", "é", "invalid-header"],
    ["X-A", "Keep", "invalid-header"],
    ["Content-Length", "0", "reserved-header"],
    ["Transfer-Encoding", "remove", "reserved-header"],
    ["Connection", "close", "reserved-header"],
    ["Set-Cookie", "a=b", "reserved-header"],
    ["Access-Control-Allow-Origin", "*", "reserved-header"],
    ["RateLimit", "keep", "reserved-header"],
    ["WWW-Authenticate", "Bearer", "reserved-header"],
    ["Strict-Transport-Security", "max-age=0", "reserved-header"],
    ["Deprecation", "true", "reserved-header"],
    ["X-Request-Id", "1", "reserved-header"],
    ["Vary", "remove", "reserved-header"],
  ])("refuses %s: %j", (name, value, code) => {
    expect(
      diagnose(documentWith({ ...OPEN, headers: { [name]: value } })).map(({ code, pointer }) => [
        code,
        pointer,
      ]),
    ).toEqual([[code, `/routes/GET ~1/headers/${name}`]]);
  });

  it("says what owns a field", () => {
    expect(diagnose(documentWith({ ...OPEN, headers: { "Access-Control-Max-Age": "1" } }))).toEqual([
      {
        code: "reserved-header",
        severity: "error",
        pointer: "/routes/GET ~1/headers/Access-Control-Max-Age",
        message: "`Access-Control-Max-Age` is not for `headers` to decide",
        help: "`cors` says who may read",
      },
    ]);
  });

  it("lets Cache-Control be removed on open routes only", () => {
    expect(diagnose(documentWith({ ...OPEN, headers: { "Cache-Control": "remove" } }))).toEqual([]);
    expect(diagnose(documentWith(KNOWN, { headers: { "Cache-Control": "remove" } }))).toEqual([
      {
        code: "reserved-header",
        severity: "error",
        pointer: "/headers/Cache-Control",
        message: "without `Cache-Control` a cache may store what one caller was shown",
        help: 'write a value, or `"keep"` to leave it to the handler',
      },
    ]);
  });

  it("reports what the document says once, however many routes there are", () => {
    const document = documentWith(OPEN, { headers: { Connection: "close" } });
    const more = { ...document, routes: { ...document.routes, "POST /": OPEN } };
    expect(diagnose(more).map(({ pointer }) => pointer)).toEqual(["/headers/Connection"]);
  });

  it("accepts what the presets set", () => {
    expect(
      diagnose(
        documentWith({
          ...OPEN,
          headers: {
            preset: "web",
            "Content-Security-Policy": "default-src 'self'",
            "X-Frame-Options": "remove",
          },
        }),
      ),
    ).toEqual([]);
  });
});
