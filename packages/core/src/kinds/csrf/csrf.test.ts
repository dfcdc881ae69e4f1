import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { resolvePolicy } from "../../compile/resolve.js";
import { Report } from "../../errors/diagnostics.js";
import type { AuthenticatorSettings, PolicyDocument, RouteSettings } from "../../model/policy.js";
import type { Identity } from "../../model/principal.js";
import type { ResolvedPolicy } from "../../model/resolved.js";
import { stateFor } from "../../model/state.test-support.js";
import { compileCsrf } from "./compile.js";
import { csrfKind } from "./index.js";

const AUTHENTICATORS: Readonly<Record<string, AuthenticatorSettings>> = {
  session: { type: "custom", use: "session", in: "cookie", name: "sid" },
  device: { type: "custom", use: "device", in: "tls" },
  script: { type: "api-key", in: "header", name: "X-API-Key", keys: [] },
};
const SESSION: RouteSettings = { authenticate: ["session"], authorize: "authenticated" };

function resolve(routes: PolicyDocument["routes"], more: Partial<PolicyDocument> = {}): ResolvedPolicy {
  const report = new Report();
  const policy = resolvePolicy(
    { gatehouse: 1, name: "test", authenticators: AUTHENTICATORS, routes, ...more },
    report,
  );
  if (policy === undefined) throw new Error(JSON.stringify(report.diagnostics));
  return policy;
}

function check(
  routes: PolicyDocument["routes"],
  more: Partial<PolicyDocument> = {},
): readonly (string | undefined)[][] {
  const report = new Report();
  csrfKind.check(resolve(routes, more), report);
  return report.diagnostics.map(({ severity, code, pointer, message, help }) => [
    severity,
    code,
    pointer,
    message,
    help,
  ]);
}

function stages(routes: PolicyDocument["routes"], more: Partial<PolicyDocument> = {}) {
  const policy = resolve(routes, more);
  const compiled = compileCsrf();
  return policy.routes.map((route) => [route.key, compiled.stages?.(route) ?? []] as const);
}

function identity(authenticator: string, ambient: boolean): Identity {
  return {
    principal: { id: "ann", roles: [], scopes: [], claims: {}, authenticator },
    authenticator,
    roles: new Set(),
    scopes: new Set(),
    ambient,
    key: "ann",
  };
}

describe("which routes are checked", () => {
  it("those with an ambient credential and something to lose, by default", () => {
    const found = stages({
      "POST /a": SESSION,
      "GET /a": SESSION,
      "* /b": SESSION,
      "GET /ws": { ...SESSION, upgrade: "websocket" },
      "POST /script": { ...SESSION, authenticate: ["script"] },
      "POST /either": { ...SESSION, authenticate: ["script", "session"] },
      "POST /both": { ...SESSION, authenticate: [["session", "script"]] },
      "POST /off": { ...SESSION, csrf: "off" },
      "POST /open": { authenticate: "none" },
      "QUERY /q": SESSION,
    });
    expect(
      found.filter(([, list]) => list.length > 0).map(([key, [stage]]) => [key, stage?.at, stage?.rule]),
    ).toEqual([
      ["* /b", "csrf", "/routes/* ~1b/authenticate"],
      ["GET /ws", "csrf", "/routes/GET ~1ws/authenticate"],
      ["POST /a", "csrf", "/routes/POST ~1a/authenticate"],
      ["POST /both", "csrf", "/routes/POST ~1both/authenticate"],
      ["POST /either", "csrf", "/routes/POST ~1either/authenticate"],
      ["QUERY /q", "csrf", "/routes/QUERY ~1q/authenticate"],
    ]);
  });
});

describe("client certificates", () => {
  const stage = stages({ "POST /a": { ...SESSION, authenticate: ["session", "device"] } })[0]?.[1][0];
  const strict = stages({
    "POST /a": { ...SESSION, authenticate: ["device"], csrf: { unknown: "refuse" } },
  })[0]?.[1][0];
  const run = (chosen: typeof stage, who: Identity | undefined, headerFields: Record<string, string>) => {
    const verdict = chosen?.run(
      stateFor({
        identity: who,
        headerFields,
        request: { method: "POST", headers: new Map(Object.entries(headerFields)) },
      }),
    );
    return verdict === undefined ? "pass" : verdict;
  };

  it("pass without any word about the origin, unless the author says otherwise; cookies beside them do not", () => {
    expect(run(stage, identity("device", true), {})).toBe("pass");
    expect(run(stage, identity("session", true), {})).toMatchObject({ code: "cross-site-request" });
    expect(run(strict, identity("device", true), {})).toMatchObject({ code: "cross-site-request" });
  });

  it("are refused across sites like cookies", () => {
    expect(run(stage, identity("device", true), { "sec-fetch-site": "cross-site" })).toEqual({
      kind: "refusal",
      code: "cross-site-request",
      reason: "`Sec-Fetch-Site` names another site",
      rule: "/routes/POST ~1a/authenticate",
    });
  });

  it("what a script sends itself is not checked", () => {
    expect(run(stage, identity("script", false), { "sec-fetch-site": "cross-site" })).toBe("pass");
    expect(run(stage, undefined, { "sec-fetch-site": "cross-site" })).toBe("pass");
  });

  const field = (own: string) =>
    fc.option(
      fc.oneof(
        fc.constantFrom(own, "https://evil.test", "null", "same-origin", "cross-site", "same-site", "none"),
        fc.string(),
      ),
      { nil: undefined },
    );

  test.prop(
    [
      fc.constantFrom("GET", "HEAD", "OPTIONS", "POST", "PUT", "QUERY"),
      field("http://a.test"),
      field("same-origin"),
      fc.boolean(),
    ],
    { numRuns: 1000 },
  )("a_cookie_passes_only_by_the_written_algorithm", (method, origin, site, upgrade) => {
    const headers = new Map<string, string>();
    if (origin !== undefined) headers.set("origin", origin);
    if (site !== undefined) headers.set("sec-fetch-site", site);
    const verdict = stage?.run(
      stateFor({ identity: identity("session", true), request: { method, headers, upgrade } }),
    );
    const safe = ["GET", "HEAD", "OPTIONS"].includes(method) && !upgrade;
    const own = site === undefined ? origin === "http://a.test" : site === "same-origin" || site === "none";
    expect(verdict === undefined).toBe(safe || own);
  });
});

describe("credentials that must stand together", () => {
  const verdictOf = (
    authenticate: RouteSettings["authenticate"],
    principal: string,
    unknown?: "allow" | "refuse",
  ) => {
    const csrf = unknown === undefined ? {} : { csrf: { unknown } };
    const [found] = stages({ "POST /a": { ...SESSION, ...csrf, ...(authenticate && { authenticate }) } });
    const state = stateFor({
      identity: identity(principal, true),
      request: { method: "POST", headers: new Map() },
    });
    return found?.[1][0]?.run(state) === undefined ? "pass" : "refuse";
  };

  it("are asked alike in any order", () => {
    expect(verdictOf([["session", "script"]], "script")).toBe("refuse");
    expect(verdictOf([["session", "script"]], "script", "allow")).toBe("pass");
    expect(verdictOf([["script", "session"]], "session", "allow")).toBe("pass");
  });

  it("are held to the strictest of them", () => {
    expect(verdictOf([["session", "device"]], "device")).toBe("refuse");
    expect(verdictOf([["device", "script"]], "script")).toBe("pass");
    expect(verdictOf(["device", ["session", "device"]], "device")).toBe("refuse");
    expect(verdictOf([["device", "script"]], "script", "refuse")).toBe("refuse");
  });
});

describe("diagnostics", () => {
  it("a switch that uncovers a cookie is named for each route", () => {
    const message = (key: string) =>
      `\`${key}\` takes the credential of \`session\`, which browsers send by themselves, and \`csrf\` is off`;
    const help = "leave `csrf` out: requests of other sites are refused then";
    expect(
      check(
        {
          "POST /a": SESSION,
          "GET /a": SESSION,
          "POST /b": { ...SESSION, authenticate: ["script"] },
          "PUT /c": SESSION,
        },
        { csrf: "off" },
      ),
    ).toEqual([
      ["warning", "csrf-off", "/csrf", message("POST /a"), help],
      ["warning", "csrf-off", "/csrf", message("PUT /c"), help],
    ]);
  });

  it.each(["https://*.example.com", "*", "null", "a.test", "https://A.test", "https://a.test/"])(
    "%s is no origin here",
    (origin) => {
      expect(check({ "POST /a": { ...SESSION, csrf: { origins: ["https://ok.test", origin] } } })).toEqual([
        [
          "error",
          "invalid-origin",
          "/routes/POST ~1a/csrf/origins/1",
          `\`${origin}\` is no origin`,
          "write a scheme and a host in lower case, as in `https://shop.example.com`; there are no wildcards here",
        ],
      ]);
    },
  );

  it("tokens that are over before they can be used", () => {
    const told = (maxAge: string) =>
      check({
        "POST /a": { ...SESSION, csrf: { tokens: { keys: [{ secret: "env:KEY" }], maxAge } } },
      }).map(([severity, code, pointer]) => [severity, code, pointer]);
    expect(told("59s")).toEqual([["error", "out-of-range", "/routes/POST ~1a/csrf/tokens/maxAge"]]);
    expect(told("1m")).toEqual([]);
  });

  it("a setting that protects nothing", () => {
    expect(
      check({ "POST /a": { ...SESSION, authenticate: ["script"] } }, { csrf: { unknown: "refuse" } }),
    ).toEqual([
      [
        "warning",
        "unused-csrf",
        "/csrf",
        "no route under this `csrf` takes a credential that browsers send by themselves",
        "leave it out: only cookies, client certificates and passwords need it",
      ],
    ]);
    expect(check({ "POST /a": SESSION }, { csrf: {} })).toEqual([]);
  });
});
