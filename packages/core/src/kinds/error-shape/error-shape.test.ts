import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resolvePolicy } from "../../compile/resolve.js";
import { ERRORS } from "../../errors/codes.js";
import { type Diagnostic, Report } from "../../errors/diagnostics.js";
import { escapeJson } from "../../lib/json-escape.js";
import { phraseOf } from "../../lib/status-phrase.js";
import type { CompiledKind, CompileEnvironment } from "../../model/kind.js";
import type { Refusal } from "../../model/outcome.js";
import type { ErrorsSettings } from "../../model/policy.js";
import type { ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";
import { stateFor } from "../../model/state.test-support.js";
import { errorShapeKind } from "./index.js";

function resolve(errors: unknown, report: Report): ResolvedPolicy {
  const policy = resolvePolicy(
    {
      gatehouse: 1,
      name: "t",
      routes: { "GET /": { authenticate: "none", errors: errors as ErrorsSettings } },
    },
    report,
  );
  if (policy === undefined) throw new Error(JSON.stringify(report.diagnostics));
  return policy;
}

function diagnose(errors: unknown): readonly Diagnostic[] {
  const report = new Report();
  errorShapeKind.check(resolve(errors, report), report);
  return report.diagnostics;
}

async function compiled(errors: unknown): Promise<{ kind: CompiledKind; route: ResolvedRoute }> {
  const policy = resolve(errors, new Report());
  const [route] = policy.routes;
  if (route === undefined) throw new Error("no route");
  return { kind: await errorShapeKind.compile(policy, {} as CompileEnvironment), route };
}

const FORBIDDEN: Refusal = {
  kind: "refusal",
  code: "forbidden",
  reason: "canary: the reason is for the operator",
};

async function shaped(
  errors: unknown,
  refusal: Partial<Refusal> = {},
  status?: number,
): Promise<{ contentType: string; body: string }> {
  const { kind, route } = await compiled(errors);
  const whole = { ...FORBIDDEN, ...refusal };
  const shaper = kind.errors?.(route);
  if (shaper === undefined) throw new Error("no shaper");
  const { bytes, ...seen } = shaper.shape(
    whole,
    status ?? ERRORS[whole.code].status,
    stateFor({ id: ID, correlation: "corr-1" }),
  );
  if (bytes !== undefined) expect(bytes).toBe(Buffer.byteLength(seen.body));
  return seen;
}

const ID = "0197283c-0000-7000-8000-000000000001";

const parsed = async (...parameters: Parameters<typeof shaped>): Promise<unknown> =>
  JSON.parse((await shaped(...parameters)).body) as unknown;

describe("the standard shape (RFC 9457)", () => {
  it("has type, title, status, detail, instance, code and correlation, in this order", async () => {
    expect(await shaped({ typeBase: "https://errors.example.com/" }, { code: "https-required" })).toEqual({
      contentType: "application/problem+json",
      body:
        '{"type":"https://errors.example.com/https-required","title":"HTTPS required","status":403,"detail":"Repeat the request over HTTPS.",' +
        '"instance":"urn:uuid:0197283c-0000-7000-8000-000000000001","code":"https-required","correlation":"corr-1"}',
    });
  });

  it("has no type of its own without a base", async () => {
    expect(await parsed({})).toEqual({
      type: "about:blank",
      title: "Forbidden",
      status: 403,
      instance: "urn:uuid:0197283c-0000-7000-8000-000000000001",
      code: "forbidden",
      correlation: "corr-1",
    });
  });

  it("leaves the correlation out where it is switched off", async () => {
    expect(await parsed({ correlation: false })).not.toHaveProperty("correlation");
  });

  it("lists problems by place and rule", async () => {
    const errors = [{ pointer: "/body/<b>", rule: "type", message: "must be string", value: "canary" }];
    const { body } = await shaped({}, { code: "invalid-body", errors });
    expect(JSON.parse(body)).toMatchObject({
      code: "invalid-body",
      status: 422,
      errors: [{ pointer: "/body/<b>", rule: "type", message: "must be string" }],
    });
    expect(body).not.toContain("canary");
    expect(body).not.toContain("<b>");
  });

  it("shows the members that a refusal is meant to show, and lets them replace none of its own", async () => {
    const members = { "violated-policies": ["per-ip"], status: 200, code: "x", instance: "y" };
    expect(await parsed({}, { code: "rate-limited", members })).toEqual({
      type: "about:blank",
      title: "Too many requests",
      status: 429,
      instance: "urn:uuid:0197283c-0000-7000-8000-000000000001",
      code: "rate-limited",
      correlation: "corr-1",
      "violated-policies": ["per-ip"],
    });
  });

  it("never shows the reason, the rule or a header (B8.134)", async () => {
    for (const code of Object.keys(ERRORS) as (keyof typeof ERRORS)[]) {
      const { body } = await shaped({}, { code, rule: "/routes/canary", headers: [["X", "canary"]] });
      expect(body).not.toContain("canary");
      expect(JSON.parse(body)).toMatchObject({
        code,
        status: ERRORS[code].status,
        title: ERRORS[code].title,
      });
    }
  });

  it("titles an unusual status by its phrase", async () => {
    expect(await parsed({}, { code: "handler-failed" }, 502)).toMatchObject({
      title: "Bad Gateway",
      status: 502,
      code: "handler-failed",
    });
    expect(await parsed({}, { code: "handler-failed" }, 502)).toMatchObject({ title: "Bad Gateway" });
  });
});

describe('expose: "none"', () => {
  it("tells type, title by status, status and correlation only", async () => {
    const refusal: Partial<Refusal> = {
      code: "insufficient-scope",
      errors: [{ pointer: "/a", rule: "r", message: "m" }],
      members: { more: 1 },
    };
    expect(await parsed({ expose: "none", typeBase: "https://e.test/" }, refusal)).toEqual({
      type: "about:blank",
      title: "Forbidden",
      status: 403,
      correlation: "corr-1",
    });
    expect((await shaped({ expose: "none", correlation: false })).body).toBe(
      '{"type":"about:blank","title":"Forbidden","status":403}',
    );
  });

  it("makes refusals of one status alike", async () => {
    expect(await shaped({ expose: "none" }, { code: "forbidden" })).toEqual(
      await shaped({ expose: "none" }, { code: "condition-error" }),
    );
  });
});

describe("templates", () => {
  const bodies = {
    forbidden: {
      error: {
        code: "{code}",
        message: "{title}: {detail}",
        id: "<{correlation}>",
        n: 1,
        list: ["{code}", null, true],
      },
    },
    "403": "status {code} {correlation}{correlation}",
    "404": [],
  };

  it("fills placeholders inside strings, by code before status", async () => {
    expect(await shaped({ bodies })).toEqual({
      contentType: "application/json",
      body: '{"error":{"code":"forbidden","message":"Forbidden: ","id":"\\u003ccorr-1\\u003e","n":1,"list":["forbidden",null,true]}}',
    });
    expect(await parsed({ bodies }, { code: "https-required" })).toBe("status https-required corr-1corr-1");
    expect(await parsed({ bodies }, { code: "not-found" })).toEqual([]);
  });

  it("keeps the standard shape for what has no template", async () => {
    expect((await shaped({ bodies }, { code: "invalid-body" })).contentType).toBe("application/problem+json");
  });

  it("goes by the status that goes out", async () => {
    expect(await parsed({ bodies: { "502": { bad: "{title}" } } }, { code: "handler-failed" }, 502)).toEqual({
      bad: "Bad Gateway",
    });
  });

  it("leaves other braces and the names of members alone", async () => {
    expect(await parsed({ bodies: { "403": { "{code}": "{ code } {} {1} {{title}}" } } })).toEqual({
      "{code}": "{ code } {} {1} {Forbidden}",
    });
  });

  it("refuses unknown placeholders, codes and statuses", () => {
    const pointer = "/routes/GET ~1/errors/bodies";
    expect(
      diagnose({ bodies: { forbiden: {}, "200": {}, "403": { a: ["{titel}", "{anything}"] } } }),
    ).toEqual([
      {
        code: "unknown-error-code",
        severity: "error",
        pointer: `${pointer}/200`,
        message: "`200` is neither an error code nor a status from 400 to 599",
      },
      {
        code: "unknown-placeholder",
        severity: "error",
        pointer: `${pointer}/403/a/0`,
        message: "unknown placeholder `{titel}`",
        help: "did you mean `title`?",
      },
      {
        code: "unknown-placeholder",
        severity: "error",
        pointer: `${pointer}/403/a/1`,
        message: "unknown placeholder `{anything}`",
        help: "known are `{code}`, `{title}`, `{detail}`, `{correlation}`",
      },
      {
        code: "unknown-error-code",
        severity: "error",
        pointer: `${pointer}/forbiden`,
        message: "`forbiden` is neither an error code nor a status from 400 to 599",
        help: "did you mean `forbidden`?",
      },
    ]);
  });

  it('refuses a placeholder that tells what expose: "none" hides', () => {
    expect(
      diagnose({ expose: "none", bodies: { "403": "{title} {code} {detail}" } }).map(({ code, message }) => [
        code,
        message,
      ]),
    ).toEqual([
      ["exposed-code", '`{code}` would tell what `"expose": "none"` hides'],
      ["exposed-code", '`{detail}` would tell what `"expose": "none"` hides'],
    ]);
  });
});

describe("the correlation field", () => {
  it("is on every answer, under its name", async () => {
    const { kind, route } = await compiled({ correlation: "X-Trace" });
    const sent: [string, string][] = [];
    kind.headers?.(route)?.dynamic?.(stateFor({ correlation: "corr-1" }), {
      set: (name, value) => void sent.push([name, value]),
      add: ([name, value]) => void sent.push([name, value]),
    });
    expect(sent).toEqual([["X-Trace", "corr-1"]]);
  });

  it("is absent where it is switched off", async () => {
    const { kind, route } = await compiled({ correlation: false });
    expect(kind.headers?.(route)).toBeUndefined();
  });

  it.each([
    "Set-Cookie",
    "Content-Length",
    "Location",
    "Access-Control-Allow-Origin",
    "Cache-Control",
    "X-Frame-Options",
    "Strict-Transport-Security",
    "Deprecation",
    "X-Forwarded-For",
    "Sec-Fetch-Site",
  ])("refuses %s", (correlation) => {
    expect(diagnose({ correlation })).toEqual([
      {
        code: "reserved-header",
        severity: "error",
        pointer: "/routes/GET ~1/errors/correlation",
        message: `\`${correlation}\` has a meaning of its own`,
      },
    ]);
  });

  it("refuses the header of a credential: it would be sent back, and stand in logs", () => {
    const report = new Report();
    const keys = [{ id: "a", sha256: "a".repeat(64) }];
    const policy = resolvePolicy(
      {
        gatehouse: 1,
        name: "t",
        authenticators: { partner: { type: "api-key", in: "header", name: "X-API-Key", keys } },
        errors: { correlation: "x-api-key" },
        routes: { "GET /": { authorize: "authenticated" } },
      },
      report,
    );
    if (policy !== undefined) errorShapeKind.check(policy, report);
    expect(report.diagnostics).toEqual([
      {
        code: "reserved-header",
        severity: "error",
        pointer: "/errors/correlation",
        message: "`x-api-key` holds a credential, which would go out as an id, and into logs",
        help: "name another header",
      },
    ]);
  });

  it("refuses what is no field name", () => {
    expect(diagnose({ correlation: "X Id" }).map(({ code }) => code)).toEqual(["invalid-header"]);
  });
});

describe("typeBase", () => {
  it.each(["https://e.test/", "https://e.test/#", "urn:errors:", "https://e.test/?code="])(
    "accepts %s",
    (typeBase) => {
      expect(diagnose({ typeBase })).toEqual([]);
    },
  );

  it("refuses one that a code would run into, and one that is no URI", () => {
    expect(diagnose({ typeBase: "https://e.test/errors" })).toEqual([
      {
        code: "invalid-type-base",
        severity: "error",
        pointer: "/routes/GET ~1/errors/typeBase",
        message: "a code would run into `https://e.test/errors`",
        help: "did you mean `https://e.test/errors/`?",
      },
    ]);
    expect(diagnose({ typeBase: "/errors/" }).map(({ message }) => message)).toEqual([
      "`/errors/` is no absolute URI",
    ]);
  });
});

describe("what is written when the policy is compiled", () => {
  const text = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 12 }),
    fc.constantFrom("<b>", "\u2028", "ä€😀"),
  );
  const settings = fc.record(
    {
      typeBase: fc.constantFrom("https://errors.example/", "urn:x:"),
      correlation: fc.constantFrom("X-Request-Id", "remove"),
      expose: fc.constantFrom("code", "none"),
      bodies: fc.dictionary(
        fc.constantFrom("404", "401", "not-found", "invalid-credential"),
        fc.record({
          c: fc.constant("{code} {correlation}"),
          t: text,
          all: fc.constantFrom("{correlation}", "{title}: {detail}"),
        }),
      ),
    },
    { requiredKeys: [] },
  );
  const refusal = fc.record(
    {
      code: fc.constantFrom(...(Object.keys(ERRORS) as Refusal["code"][])),
      errors: fc.array(fc.record({ pointer: text, rule: text, message: text }), { maxLength: 2 }),
      members: fc.dictionary(fc.oneof(text, fc.constantFrom("code", "status")), text, { maxKeys: 2 }),
    },
    { requiredKeys: ["code"] },
  );
  const correlation = fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/u);

  it("error_bodies_are_what_they_would_be_if_nothing_were_prepared", async () => {
    await fc.assert(
      fc.asyncProperty(
        settings,
        refusal,
        fc.constantFrom(undefined, 400, 404, 418, 502),
        correlation,
        async (errors, given, status, sent) => {
          const { kind, route } = await compiled(errors);
          const whole = { ...FORBIDDEN, ...given };
          const shown = status ?? ERRORS[whole.code].status;
          const seen = kind.errors?.(route).shape(whole, shown, stateFor({ id: ID, correlation: sent }));
          if (seen === undefined) throw new Error("no shaper");
          if (seen.bytes !== undefined) expect(seen.bytes).toBe(Buffer.byteLength(seen.body));
          // Nothing that varies in length but ids, and nothing is left to be counted.
          if (given.errors === undefined && given.members === undefined) expect(seen.bytes).toBeDefined();
          expect(seen.body).toBe(unprepared(route, whole, shown, sent));
        },
      ),
      { numRuns: 500 },
    );
  });

  /** The whole object, and then its text. */
  function unprepared({ errors }: ResolvedRoute, refused: Refusal, status: number, sent: string): string {
    const entry: { readonly status: number; readonly title: string; readonly detail?: string } =
      ERRORS[refused.code];
    const told = errors.expose === "code";
    const title = told && entry.status === status ? entry.title : phraseOf(status);
    const detail = told ? entry.detail : undefined;
    const bodies: Readonly<Record<string, unknown>> = errors.bodies?.value ?? {};
    const template = bodies[refused.code] ?? bodies[String(status)];
    if (template !== undefined) {
      const texts: Readonly<Record<string, string>> = {
        code: refused.code,
        title,
        detail: detail ?? "",
        correlation: sent,
      };
      const filled = JSON.stringify(template, (_name, value: unknown) =>
        typeof value === "string"
          ? value.replaceAll(
              /\{(code|title|detail|correlation)\}/gu,
              (_all, name: string) => texts[name] ?? "",
            )
          : value,
      );
      return escapeJson(filled);
    }
    const { code, errors: problems = [], members = {} } = refused;
    const known = {
      type: told && errors.typeBase !== undefined ? errors.typeBase + code : "about:blank",
      title,
      status,
      ...(detail === undefined ? {} : { detail }),
      ...(told ? { instance: `urn:uuid:${ID}`, code } : {}),
      ...(errors.correlation === undefined ? {} : { correlation: sent }),
      ...(told && problems.length > 0
        ? { errors: problems.map(({ pointer, rule, message }) => ({ pointer, rule, message })) }
        : {}),
    };
    const reserved = ["type", "title", "status", "detail", "instance", "code", "correlation", "errors"];
    const more = told ? Object.entries(members).filter(([name]) => !reserved.includes(name)) : [];
    const pairs = [...Object.entries(known), ...more].map(
      ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`,
    );
    return escapeJson(`{${pairs.join(",")}}`);
  }
});
