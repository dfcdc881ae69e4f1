import { afterEach, describe, expect, it, vi } from "vitest";
import * as fc from "fast-check";
import { Report } from "../../errors/diagnostics.js";
import type { AuthorizeEntry, AuthorizeSettings } from "../../model/policy.js";
import type { TraceNote } from "../../model/state.js";
import type { Check } from "../../ports/application.js";
import { BODY, checked, decide, documentWith, request, stagesOf } from "./authorize.test-support.js";
import type { Who } from "./authorize.test-support.js";

async function outcome(
  authorize: AuthorizeSettings,
  who: Who | null,
  checks: Readonly<Record<string, Check>> = {},
  optional = false,
): Promise<string> {
  const authenticate = optional ? ["optional", "user", "partner"] : ["user", "partner"];
  const document = documentWith({ authenticate, authorize, request: { body: BODY } });
  const report = new Report();
  const stages = await stagesOf(document, checks, report);
  expect(report.diagnostics).toEqual([]);
  return decide(stages, request(who));
}

const yes: Check = () => true;
const no: Check = () => false;

afterEach(() => void vi.useRealTimers());

describe("parts of an entry", () => {
  it("takes any of the roles, as closed over the hierarchy", async () => {
    expect(await outcome({ roles: ["clerk"] }, { roles: ["clerk", "customer"] })).toBe("admitted");
    expect(await outcome({ roles: ["admin", "clerk"] }, { roles: ["clerk"] })).toBe("admitted");
    expect(await outcome({ roles: ["admin"] }, { roles: ["clerk"] })).toBe("authorize: forbidden");
    expect(await outcome({ roles: ["admin"] }, { scopes: ["admin"], claims: { roles: ["admin"] } })).toBe(
      "authorize: forbidden",
    );
  });

  it("takes all of the scopes, whole", async () => {
    const scopes = ["orders:read", "orders:write"];
    expect(await outcome({ scopes }, { scopes: [...scopes, "x"] })).toBe("admitted");
    for (const held of [
      [],
      ["orders:read"],
      ["orders:writeall", "orders:read"],
      ["orders:read orders:write"],
    ]) {
      expect(await outcome({ scopes }, { scopes: held })).toBe("authorize: insufficient-scope");
    }
  });

  it("compares claims by dotted path or pointer, and converts nothing", async () => {
    const claims = { org: { id: "o", "a/b": [1, { x: null }] }, n: 1, list: ["a"], flag: true };
    const holds = async (path: string, value: unknown): Promise<boolean> =>
      (await outcome({ claims: { [path]: value } }, { claims })) === "admitted";
    expect(
      await Promise.all([
        holds("org.id", "o"),
        holds("/org/id", "o"),
        holds("/org/a~1b", [1, { x: null }]),
        holds("n", 1),
        holds("flag", true),
      ]),
    ).toEqual([true, true, true, true, true]);
    expect(
      await Promise.all([
        holds("n", "1"),
        holds("list", "a"),
        holds("flag", "true"),
        holds("org.none", null),
        holds("constructor", "x"),
        holds("org.constructor.name", "Object"),
      ]),
    ).toEqual([false, false, false, false, false, false]);
  });

  it("grants on true alone, and forbids on true and on errors", async () => {
    const who: Who = { tenant: "t" };
    expect(await outcome({ when: "principal.tenant == 't'" }, who)).toBe("admitted");
    expect(await outcome({ when: "principal.tenant == 'u'" }, who)).toBe("authorize: forbidden");
    expect(await outcome({ when: "principal.tenant == 't'" }, {})).toBe("authorize: condition-error");
    expect(await outcome({ forbid: "principal.tenant == 't'" }, who)).toBe("authorize: forbidden");
    expect(await outcome({ forbid: "principal.tenant == 'u'" }, who)).toBe("admitted");
    expect(await outcome({ forbid: "principal.tenant == 'u'" }, {})).toBe("authorize: condition-error");
    expect(await outcome({ when: "body.n == 2" }, who)).toBe("authorize-body: forbidden");
    expect(await outcome({ forbid: "body.n == 1" }, who)).toBe("authorize-body: forbidden");
  });

  it("asks a check only where the rest holds", async () => {
    const check = vi.fn<Check>(() => true);
    expect(await outcome({ roles: ["admin"], check: "c" }, {}, { c: check })).toBe("authorize: forbidden");
    expect(await outcome({ when: "body.n == 2", check: "c" }, {}, { c: check })).toBe(
      "authorize-body: forbidden",
    );
    expect(check).not.toHaveBeenCalled();
    expect(await outcome({ when: "body.n == 1", check: "c" }, {}, { c: check })).toBe("admitted");
    expect(check).toHaveBeenCalledTimes(1);
  });
});

describe("either … or", () => {
  it("admits at stage 9 where one entry needs nothing more, without asking the others' bodies or checks", async () => {
    const check = vi.fn<Check>(() => false);
    const entries: AuthorizeEntry[] = [
      { roles: ["customer"], when: "body.n == 2", check: "c" },
      { roles: ["clerk"] },
    ];
    expect(await outcome(entries, { roles: ["clerk", "customer"] }, { c: check })).toBe("admitted");
    expect(check).not.toHaveBeenCalled();
  });

  it("refuses at stage 9 as soon as no entry can hold any more", async () => {
    const entries: AuthorizeEntry[] = [{ roles: ["customer"], when: "body.n == 1" }, { roles: ["clerk"] }];
    expect(await outcome(entries, {})).toBe("authorize: forbidden");
  });

  it("leaves open what the body and the checks decide", async () => {
    const entries: AuthorizeEntry[] = [
      { roles: ["admin"] },
      { roles: ["customer"], when: "body.n == 2" },
      { roles: ["customer"], check: "c" },
    ];
    expect(await outcome(entries, { roles: ["customer"] }, { c: yes })).toBe("admitted");
    expect(await outcome(entries, { roles: ["customer"] }, { c: no })).toBe("check: forbidden");
  });

  it("never asks a check of an entry whose body condition failed", async () => {
    const check = vi.fn<Check>(() => true);
    const entries: AuthorizeEntry[] = [
      { when: "body.n == 2", check: "c" },
      { when: "body.n == 1", check: "d" },
    ];
    expect(await outcome(entries, {}, { c: check, d: no })).toBe("check: forbidden");
    expect(check).not.toHaveBeenCalled();
  });

  it("refuses by any forbid, also where another entry holds, and also when it needs the body", async () => {
    expect(
      await outcome([{ roles: ["clerk"] }, { roles: ["admin"], forbid: "principal.tenant == 't'" }], {
        roles: ["clerk"],
        tenant: "t",
      }),
    ).toBe("authorize: forbidden");
    expect(
      await outcome([{ roles: ["clerk"] }, { roles: ["admin"], forbid: "body.n == 1" }], {
        roles: ["clerk"],
      }),
    ).toBe("authorize-body: forbidden");
    expect(await outcome([{ roles: ["clerk"] }, { forbid: "body.n == 1" }], { roles: ["clerk"] })).toBe(
      "authorize-body: forbidden",
    );
  });

  it("tells the most helpful reason, whatever the order", async () => {
    const entries: AuthorizeEntry[] = [
      { when: "principal.tenant == 'x'" },
      { roles: ["admin"] },
      { scopes: ["b"] },
      { scopes: ["a"] },
    ];
    expect(await outcome(entries, {})).toBe("authorize: insufficient-scope");
    expect(await outcome(entries.slice(0, 2), {})).toBe("authorize: forbidden");
    expect(await outcome(entries.slice(0, 1), {})).toBe("authorize: condition-error");
    for (const order of [entries, entries.toReversed()]) {
      const [stage] = await stagesOf(documentWith({ authorize: order }));
      expect(await stage?.run(request({}))).toMatchObject({
        headers: [["WWW-Authenticate", 'Bearer error="insufficient_scope", scope="a"']],
      });
    }
  });

  it("order_never_matters", async () => {
    const part = fc.record(
      {
        roles: fc.constantFrom(["admin"], ["clerk"], ["customer", "admin"]),
        scopes: fc.constantFrom(["a"], ["a", "b"]),
        when: fc.constantFrom(
          "principal.tenant == 't'",
          "body.n == 1",
          "body.s == 'other'",
          "principal.tenant == body.s",
        ),
        forbid: fc.constantFrom("principal.tenant == 'bad'", "body.n == 3"),
        check: fc.constantFrom("yes", "no", "throws", "odd"),
      },
      { requiredKeys: [] },
    );
    const entries = fc.array(part, { minLength: 1, maxLength: 4 });
    const who = fc.record(
      {
        roles: fc.subarray(["admin", "clerk", "customer"]),
        scopes: fc.subarray(["a", "b"]),
        tenant: fc.constantFrom("t", "bad", "text"),
      },
      { requiredKeys: [] },
    );
    const checks: Readonly<Record<string, Check>> = {
      yes,
      no: async () => false,
      throws: () => {
        throw new Error("broken");
      },
      odd: () => 1 as unknown as boolean,
    };
    await fc.assert(
      fc.asyncProperty(entries, who, fc.boolean(), async (written, person, optional) => {
        expect(await outcome(written.toReversed(), person, checks, optional)).toBe(
          await outcome(written, person, checks, optional),
        );
      }),
      { numRuns: 300 },
    );
  });
});

describe("groups", () => {
  it("demand besides, each of them", async () => {
    const document = documentWith(
      { authorize: { roles: ["customer"] }, request: { body: BODY } },
      { groups: { "/x": { require: { scopes: ["s"], forbid: "body.n == 3" } } } },
    );
    const stages = await stagesOf(document);
    expect(await decide(stages, request({ roles: ["customer"], scopes: ["s"] }))).toBe("admitted");
    expect(await decide(stages, request({ roles: ["customer"] }))).toBe("authorize: insufficient-scope");
    expect(await decide(stages, request({ scopes: ["s"] }))).toBe("authorize: forbidden");
    expect(await decide(stages, request({ roles: ["customer"], scopes: ["s"] }, { body: { n: 3 } }))).toBe(
      "authorize-body: forbidden",
    );
  });

  it("run their checks one clause after the other", async () => {
    const document = documentWith(
      { authorize: { check: "own" } },
      { groups: { "/x": { require: { check: "group" } } } },
    );
    const calls: string[] = [];
    const recording =
      (name: string, answer: boolean): Check =>
      async () => {
        calls.push(name);
        return answer;
      };
    expect(
      await decide(
        await stagesOf(document, { own: recording("own", true), group: recording("group", true) }),
        request({}),
      ),
    ).toBe("admitted");
    expect(calls).toEqual(["group", "own"]);
    expect(
      await decide(
        await stagesOf(document, { own: recording("own", true), group: recording("group", false) }),
        request({}),
      ),
    ).toBe("check: forbidden");
    expect(calls).toEqual(["group", "own", "group"]);
  });
});

describe("callers without a name", () => {
  it("get 401 where a name might help", async () => {
    for (const entry of [
      { roles: ["clerk"] },
      { scopes: ["s"] },
      { claims: { a: 1 } },
      { when: "principal.tenant == 't'" },
      { forbid: "principal.tenant == 't'" },
    ]) {
      expect(await outcome(entry, null, {}, true)).toBe("authorize: unauthenticated");
    }
    expect(await outcome("authenticated", null, {}, true)).toBe("authorize: unauthenticated");
    expect(await outcome({ when: "body.n == 2" }, null, {}, true)).toBe("authorize-body: unauthenticated");
    expect(await outcome({ check: "c" }, null, { c: no }, true)).toBe("check: unauthenticated");
  });

  it("pass where nothing asks for one", async () => {
    expect(await outcome("anyone", null, {}, true)).toBe("admitted");
    expect(await outcome({ when: "body.n == 1" }, null, {}, true)).toBe("admitted");
    expect(await outcome([{ roles: ["clerk"] }, { when: "!principal.authenticated" }], null, {}, true)).toBe(
      "admitted",
    );
  });

  it("get 403 on open routes, where no name is ever asked for", async () => {
    const document = documentWith({ authenticate: "none", authorize: { when: "client.ip == '10.0.0.1'" } });
    expect(await decide(await stagesOf(document), request(null))).toBe("authorize: forbidden");
  });
});

describe("challenges", () => {
  it("name the scopes to callers with Bearer tokens only (RFC 6750 section 3.1)", async () => {
    const [stage] = await stagesOf(documentWith({ authorize: { scopes: ["a", "b"] } }));
    const refusal = {
      kind: "refusal",
      code: "insufficient-scope",
      reason: "the caller lacks one of the scopes `a`, `b`",
      rule: "/routes/POST ~1x~1:id/authorize/scopes",
    };
    expect(await stage?.run(request({}))).toEqual({
      ...refusal,
      headers: [["WWW-Authenticate", 'Bearer error="insufficient_scope", scope="a b"']],
    });
    expect(await stage?.run(request({ authenticator: "partner" }))).toEqual(refusal);
  });
});

describe("stages", () => {
  const names = async (authorize: AuthorizeSettings): Promise<string[]> => {
    const stages = await stagesOf(documentWith({ authorize, request: { body: BODY } }), { c: yes });
    return stages.map(({ at }) => at);
  };

  it("are only there where a route needs them", async () => {
    expect(await names("authenticated")).toEqual([]);
    expect(await names({ roles: ["clerk"] })).toEqual(["authorize"]);
    expect(await names({ when: "body.n == 1" })).toEqual(["authorize-body"]);
    expect(await names({ check: "c" })).toEqual(["check"]);
    expect(await names({ roles: ["clerk"], forbid: "body.n == 1", check: "c" })).toEqual([
      "authorize",
      "authorize-body",
      "check",
    ]);
    expect(await names([{ roles: ["clerk"] }, { forbid: "principal.tenant == 't'" }])).toEqual(["authorize"]);
  });

  it("refuse with the same object every time", async () => {
    const [stage] = await stagesOf(documentWith({ authorize: { roles: ["clerk"] } }));
    expect(stage?.run(request({}))).toBe(stage?.run(request({ roles: ["customer"] })));
  });
});

describe("checks", () => {
  const run = async (check: Check): Promise<unknown> => {
    const stages = await stagesOf(documentWith({ authorize: { check: "c" } }), { c: check });
    return stages[0]?.run(request({}));
  };
  const rule = "/routes/POST ~1x~1:id/authorize/check";

  it("pass on true, refuse on false, and are synchronous when they can be", async () => {
    const stages = await stagesOf(documentWith({ authorize: { check: ["a", "b"] } }), { a: yes, b: yes });
    expect(stages[0]?.run(request({}))).toBe(undefined);
    expect(await run(async () => true)).toBe(undefined);
    const refusal = {
      kind: "refusal",
      code: "forbidden",
      reason: "a check of the application said no",
      rule,
    };
    expect(await run(no)).toEqual(refusal);
    expect(await run(async () => false)).toEqual(refusal);
  });

  it.each([undefined, null, 1, "true", {}, []])(
    "take %j for a fault, also from a promise",
    async (answer) => {
      const fault = {
        kind: "fault",
        where: "code",
        reason: "check `c` answered neither true nor false",
        rule,
      };
      expect(await run(() => answer as boolean)).toEqual(fault);
      expect(await run(async () => answer as boolean)).toEqual(fault);
    },
  );

  it("that throw are faults, and carry what was thrown for the operator alone", async () => {
    const error = new Error("secret-canary");
    const fault = { kind: "fault", where: "code", reason: "check `c` threw", rule, error };
    expect(
      await run(() => {
        throw error;
      }),
    ).toEqual(fault);
    expect(await run(() => Promise.reject(error))).toEqual(fault);
  });

  it("have 2 s, are told by their signal, and leave no timer behind", async () => {
    vi.useFakeTimers();
    let signal: AbortSignal | undefined;
    const late = run((input) => {
      signal = input.signal;
      return new Promise<boolean>(() => undefined);
    });
    await vi.advanceTimersByTimeAsync(1999);
    expect(signal?.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await late).toEqual({
      kind: "fault",
      where: "outside",
      reason: "check `c` gave no answer within 2000 ms",
      rule,
    });
    expect(signal?.aborted).toBe(true);
    expect(await run(async () => true)).toBe(undefined);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("are told when the client is gone", async () => {
    const client = new AbortController();
    let signal: AbortSignal | undefined;
    const stages = await stagesOf(documentWith({ authorize: { check: "c" } }), {
      c: (input) => ((signal = input.signal), true),
    });
    await stages[0]?.run(request({}, { signal: client.signal }));
    client.abort();
    expect(signal?.aborted).toBe(true);
  });

  it("stop at the first that says no", async () => {
    const second = vi.fn<Check>(() => true);
    const stages = await stagesOf(documentWith({ authorize: { check: ["a", "b"] } }), { a: no, b: second });
    expect(await decide(stages, request({}))).toBe("check: forbidden");
    expect(second).not.toHaveBeenCalled();
  });

  it("see what the handler will see, and hand on what they loaded", async () => {
    const seen: unknown[] = [];
    const stages = await stagesOf(documentWith({ authorize: { check: "c" } }), {
      c: ({ principal, params, query, headers, body, route, locals }) => {
        seen.push({ id: principal?.id, params, query, headers, body, route });
        locals["order"] = { id: 1 };
        return true;
      },
    });
    const state = request({}, { route: { key: "POST /x/:id" } as never });
    await stages[0]?.run(state);
    expect(seen).toEqual([
      {
        id: "ann",
        params: { id: "1" },
        query: {},
        headers: {},
        body: { n: 1, s: "text" },
        route: "POST /x/:id",
      },
    ]);
    expect(state.locals).toEqual({ order: { id: 1 } });
  });

  it("that fault admit nobody, but an entry that holds without them does", async () => {
    const throws: Check = () => {
      throw new Error("broken");
    };
    const entries: AuthorizeEntry[] = [{ check: "t" }, { check: "y" }];
    expect(await outcome(entries, {}, { t: throws, y: yes })).toBe("admitted");
    expect(await outcome(entries, {}, { t: throws, y: no })).toBe("check: fault code");
    expect(await outcome(entries.toReversed(), {}, { t: throws, y: no })).toBe("check: fault code");
  });

  it("that nobody gave are told by name and place", async () => {
    const report = new Report();
    await stagesOf(
      documentWith({ authorize: { check: ["ownsOrdr", "toString"] } }),
      { ownsOrder: yes },
      report,
    );
    expect(report.diagnostics).toEqual([
      {
        code: "unknown-check",
        severity: "error",
        pointer: `${rule}/0`,
        message: "no check `ownsOrdr` was given to the engine",
        help: "did you mean `ownsOrder`?",
      },
      {
        code: "unknown-check",
        severity: "error",
        pointer: `${rule}/1`,
        message: "no check `toString` was given to the engine",
        help: "hand the function to createEngine under `checks`",
      },
    ]);
  });
});

/** Notes that say what decided. */
function told({ notes }: { readonly notes: readonly TraceNote[] }): readonly object[] {
  return notes
    .filter(({ rule }) => rule !== undefined)
    .map(({ rule, reason, read }) => ({ rule, reason, ...(read === undefined ? {} : { read }) }));
}

describe("traces", () => {
  it("say which entry admitted and what it read", async () => {
    const document = documentWith({
      authorize: [{ roles: ["admin"] }, { roles: ["customer"], when: "principal.tenant == 't'" }],
    });
    const state = request({ roles: ["customer"], tenant: "t" }, { tracing: true });
    expect(await decide(await stagesOf(document), state)).toBe("admitted");
    expect(told(state)).toEqual([
      {
        rule: "/routes/POST ~1x~1:id/authorize/1",
        reason:
          "entry `/routes/POST ~1x~1:id/authorize/1` holds: the caller has role `customer`: `principal.tenant == 't'` is true",
        read: [
          { fact: "principal.roles", value: ["customer"] },
          { fact: "principal.tenant", value: "t" },
        ],
      },
    ]);
  });

  it("say which part refused, and nothing when nobody asks", async () => {
    const stages = await stagesOf(
      documentWith({ authorize: { when: "principal.tenant == 'u' || 'admin' in principal.roles" } }),
    );
    const state = request({ roles: ["customer"], tenant: "t" }, { tracing: true });
    const verdict = await stages[0]?.run(state);
    expect(verdict).toMatchObject({
      reason:
        "condition `principal.tenant == 'u' || 'admin' in principal.roles` is not met: `principal.tenant == 'u'` is false; `'admin' in principal.roles` is false",
    });
    const silent = request({ roles: ["customer"], tenant: "t" });
    await stages[0]?.run(silent);
    expect(silent.notes).toEqual([]);
  });

  it("tell what checks said", async () => {
    const state = request({}, { tracing: true });
    await decide(await stagesOf(documentWith({ authorize: { check: "c" } }), { c: no }), state);
    expect(told(state)).toEqual([
      { rule: "/routes/POST ~1x~1:id/authorize/check", reason: "check `c` said false" },
    ]);
  });

  it("tell every rule that was asked, whatever decided, and no part that nothing asked", async () => {
    const when = "principal.tenant == 'u' || !('admin' in principal.roles)";
    const document = documentWith({
      authorize: [
        { roles: ["admin"], when: "principal.tenant == 't'" },
        { roles: ["clerk", "customer"], scopes: ["a", "b"] },
        { when, forbid: "principal.tenant == 'v' && principal.id == 'x'", check: "c" },
      ],
    });
    const state = request({ roles: ["customer"], scopes: ["a"], tenant: "t" }, { tracing: true });
    expect(await decide(await stagesOf(document, { c: yes }), state)).toBe("admitted");
    const at = "/routes/POST ~1x~1:id/authorize";
    const forbid = `${at}/2/forbid`;
    expect(reached(state)).toEqual([
      [forbid, "held"],
      [forbid, "false", "principal.tenant == 'v' && principal.id == 'x'"],
      [forbid, "false", "principal.tenant == 'v'"],
      [`${at}/0/roles`, "missed"],
      [`${at}/1/roles`, "held"],
      [`${at}/1/roles/1`, "held"],
      [`${at}/1/scopes`, "missed"],
      [`${at}/1/scopes/1`, "missed"],
      [`${at}/2/when`, "held"],
      // The parser leaves parentheses at an end out of its ranges.
      [`${at}/2/when`, "true", when.slice(0, -1)],
      [`${at}/2/when`, "false", "principal.tenant == 'u'"],
      [`${at}/2/when`, "true", "!('admin' in principal.roles"],
      [`${at}/2/when`, "false", "'admin' in principal.roles"],
      [`${at}/2/check`, "held"],
      [`${at}/2`, "held"],
    ]);

    function reached({ notes }: typeof state): unknown[] {
      return notes
        .flatMap((note) => note.reached ?? [])
        .map(({ rule, came, part }) => {
          const text = rule === forbid ? "principal.tenant == 'v' && principal.id == 'x'" : when;
          return part === undefined ? [rule, came] : [rule, came, text.slice(...part)];
        });
    }
  });
});

describe("what a document may not say", () => {
  const codes = (...parameters: Parameters<typeof documentWith>): unknown[] =>
    checked(documentWith(...parameters)).map(({ code, pointer, message, help }) => [
      code,
      pointer,
      message,
      help,
    ]);
  const at = "/routes/POST ~1x~1:id/authorize";

  it("asks who calls where nobody is known", () => {
    const open = 'nobody is known on a route with `"authenticate": "none"`';
    const help = "name an authenticator on the route";
    expect(
      codes({ authenticate: "none", authorize: { roles: ["clerk"], scopes: ["s"], claims: { a: 1 } } }),
    ).toEqual([
      ["principal-on-open-route", `${at}/roles`, `\`roles\` can never hold: ${open}`, help],
      ["principal-on-open-route", `${at}/scopes`, `\`scopes\` can never hold: ${open}`, help],
      ["principal-on-open-route", `${at}/claims`, `\`claims\` can never hold: ${open}`, help],
    ]);
    expect(codes({ authenticate: "none", authorize: "authenticated" })).toEqual([
      ["principal-on-open-route", at, `\`"authenticated"\` can never hold: ${open}`, help],
    ]);
    expect(codes({ authenticate: "none", authorize: { when: "principal.id == 'x'" } })).toEqual([
      [
        "principal-on-open-route",
        `${at}/when`,
        '`principal.id` is read where nobody is known: the route says `"authenticate": "none"`',
        "name an authenticator on the route, or take the condition out",
      ],
    ]);
  });

  it("`anyone` where anonymous callers are not let in", () => {
    expect(codes({ authorize: "anyone" })).toEqual([
      [
        "anyone-not-optional",
        at,
        '`"anyone"` stands only where anonymous callers are let in',
        'write `"authenticate": ["optional", …]`, or say what a caller must have',
      ],
    ]);
    expect(codes({ authenticate: ["optional", "user"], authorize: "anyone" })).toEqual([]);
  });

  it("paths that lead nowhere", () => {
    expect(codes({ authorize: { claims: { "a..b": 1, "/a~2": 1, "a.b": 1, "/a~1b": 1 } } })).toEqual([
      [
        "invalid-claim-path",
        `${at}/claims/a..b`,
        "`a..b` is no path into the claims",
        "write names with dots between, or a JSON Pointer that begins with `/`",
      ],
      [
        "invalid-claim-path",
        `${at}/claims/~1a~02`,
        "`/a~2` is no path into the claims",
        "write names with dots between, or a JSON Pointer that begins with `/`",
      ],
    ]);
  });

  it("conditions that do not compile, in every entry, each told once however many routes inherit it", () => {
    expect(
      codes({ authorize: [{ when: "principl.id == 'x'" }, { forbid: "true +" }] }).map((one) =>
        (one as string[]).slice(0, 2),
      ),
    ).toEqual([
      ["unknown-name", `${at}/0/when`],
      ["condition-syntax", `${at}/1/forbid`],
    ]);
    const routes = { "GET /x/a": { authenticate: ["user"] }, "GET /x/b": { authenticate: ["user"] } };
    expect(codes({}, { routes, groups: { "/x": { require: { when: "params.id == 'x'" } } } })).toEqual([
      [
        "unknown-name",
        "/groups/~1x/require/when",
        "`params` has no `id` (on route `GET /x/a`)",
        "it has none",
      ],
    ]);
  });
});
