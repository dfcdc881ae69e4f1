import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { condition, diagnose, identityOf, result, sample, SCOPE } from "./conditions.test-support.js";

const absent = (fact: string): string => `\`${fact}\` is absent`;

describe("what conditions read", () => {
  it.each([
    "principal.tenant == params.tenant",
    "principal.id == 'ann' && principal.authenticated && principal.authenticator == 'user'",
    "'clerk' in principal.roles && !('admin' in principal.roles)",
    "params.tenant in ['t-1', 't-2']",
    "principal.roles.exists(r, r == 'clerk') && size(principal.roles) == 2",
    "'orders:read' in principal.scopes",
    "principal.claims.level >= 3 && principal.claims.level == 3 && principal.claims.level == 3.0",
    "principal.claims.org.id == 'o-1' && principal.claims['https://x.test/y'] == 'z'",
    "'level' in principal.claims && has(principal.claims.org.id) && !has(principal.claims.other)",
    "principal.claims.none == null && principal.claims.flag == true",
    "params.n == 5 && params.n + 1 == 6",
    "query.page == 2 && 'x' in query.tags && query.free == 'text'",
    "headers['x-purpose'] == 'audit' && headers['x-count'] == 4 && 'x-purpose' in headers && !('x-other' in headers)",
    "cookies.theme == 'dark' && has(cookies.theme) && !has(cookies.other)",
    "request.method == 'POST' && request.scheme == 'http' && request.host == 'api.test' && request.path == '/a/b'",
    "!has(request.tls)",
    "body.i == 3 && body.i == 3.0 && body.d > 1 && body.i < 3.5",
    "body.either == 'text' && body.nullable == null && body.free.any == 'thing'",
    "body.customer.name == 'Ann' && body.customer.vip",
    "body.items.exists(i, i.sku == 'A' && i.n == 1) && body.items[1].sku == 'B'",
    "!body.tree.leaf && body.tree.next.leaf && !has(body.tree.next.next)",
  ])("holds: %s", (text) => {
    expect(result(text)).toBe(true);
  });

  it("knows what it reads, and from when on", () => {
    const compiled = condition("principal.tenant == params.tenant || 'clerk' in principal.roles");
    expect(compiled.reads).toEqual(["principal.tenant", "params.tenant", "principal.roles"]);
    expect(compiled.needs).toBe("principal");
    expect(condition("request.method == 'GET' && headers['x-a'] == '' && params.tenant == ''").needs).toBe(
      "connection",
    );
    expect(condition("params.n > 1").needs).toBe("parameters");
    expect(condition("query.any == ''").needs).toBe("parameters");
    expect(condition("headers['x-count'] > 1").needs).toBe("parameters");
    const deep = condition(
      "body.items.all(i, i.n > 0) && body.customer.name == principal.claims.org.name && has(body.tree.next)",
    );
    expect(deep.reads).toEqual([
      "body.items",
      "body.customer.name",
      "principal.claims.org.name",
      "body.tree.next",
    ]);
    expect(deep.needs).toBe("body");
  });

  it.each([
    ["params.n > 1 && request.method == 'POST'", "unknown"],
    ["params.n > 1 && request.method == 'GET'", false],
    ["params.n > 1 || request.method == 'POST'", true],
    // What is asked may be an error, and then so is the whole.
    ["params.n > 1 ? request.method == 'POST' : request.host == 'api.test'", "unknown"],
    ["params.n > 1 ? params.tenant == '' : request.host == 'api.test'", "unknown"],
    ["request.method == 'POST' ? request.host == 'api.test' : params.n > 1", true],
  ])("where parameters are not known, `%s` is %s", (text, truth) => {
    expect(condition(text).partial(sample(), (fact) => !fact.startsWith("params."))).toBe(truth);
  });

  it("finds nothing but authenticated, roles and scopes of an anonymous caller", () => {
    const anonymous = sample({ identity: undefined });
    expect(result("principal.authenticated", anonymous)).toBe(false);
    expect(
      result("'clerk' in principal.roles || 'a' in principal.scopes || size(principal.roles) > 0", anonymous),
    ).toBe(false);
    expect(result("has(principal.id) || has(principal.tenant) || has(principal.claims)", anonymous)).toBe(
      false,
    );
    for (const fact of ["principal.id", "principal.tenant", "principal.authenticator"]) {
      expect(result(`${fact} == 'x'`, anonymous)).toBe(absent(fact));
    }
    expect(result("principal.claims.level == 3", anonymous)).toBe(absent("principal.claims"));
  });

  it("knows the session of a TLS connection", () => {
    const secure = sample({ request: { scheme: "https", tls: { protocol: "TLSv1.3" } } });
    expect(result("has(request.tls) && request.tls.protocol == 'TLSv1.3'", secure)).toBe(true);
    expect(result("request.tls.protocol == 'TLSv1.3'")).toBe(absent("request.tls"));
  });

  it("knows the client's certificate, where the server verified one", () => {
    const clientCertificate = {
      subject: "CN=ann,O=Shop",
      subjectAltNames: ["URI:spiffe://shop/ann"],
      fingerprint256: "ab".repeat(32),
      validFrom: Date.parse("2026-01-01T00:00:00Z"),
      validTo: Date.parse("2027-01-01T00:00:00Z"),
    };
    const tls = { protocol: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256" };
    const known = sample({ request: { scheme: "https", tls: { ...tls, clientCertificate } } });
    for (const condition of [
      "request.tls.cipher.endsWith('_SHA256')",
      "has(request.tls.clientCertificate)",
      "request.tls.clientCertificate.subject == 'CN=ann,O=Shop'",
      "'URI:spiffe://shop/ann' in request.tls.clientCertificate.subjectAltNames",
      "request.tls.clientCertificate.fingerprint256.startsWith('abab')",
      "request.tls.clientCertificate.validTo > request.tls.clientCertificate.validFrom + duration('8000h')",
      "request.tls.clientCertificate.validTo == timestamp('2027-01-01T00:00:00Z')",
    ]) {
      expect([condition, result(condition, known)]).toEqual([condition, true]);
    }
    const without = sample({ request: { scheme: "https", tls } });
    expect(result("has(request.tls.clientCertificate)", without)).toBe(false);
    expect(result("request.tls.clientCertificate.subject == ''", without)).toBe(
      "no `clientCertificate` in `request.tls`",
    );
  });

  it("does not believe that a value has its schema's type: observe mode lets bodies pass that have not", () => {
    const spoiled = sample({ body: { i: 2 ** 53, s: 7, l: [1, "2"], customer: [], d: "1" } });
    expect(result("body.i > 0", spoiled)).toBe("`i` in `body` is not of its schema's type");
    expect(result("body.s == '7'", spoiled)).toBe("`s` in `body` is not of its schema's type");
    expect(result("body.l.all(x, x > 0)", spoiled)).toBe("an item of a list is not of its schema's type");
    expect(result("body.customer.name == 'x'", spoiled)).toBe(
      "`customer` in `body` is not of its schema's type",
    );
    expect(result("body.i == 1", sample({ body: undefined }))).toBe(absent("body"));
    expect(result("query.twice == 'a'")).toBe("`query.twice` is not of its schema's type");
  });

  it("reads principals that passed beside the last one", () => {
    const scope = { ...SCOPE, companions: ["lab"] };
    const identity = identityOf({
      fields: {
        with: { lab: { id: "lab-1", roles: ["x"], scopes: [], claims: {}, authenticator: "lab", site: "s" } },
      },
    });
    const text =
      "principal.with.lab.id == 'lab-1' && 'x' in principal.with.lab.roles && principal.with.lab.site == 's'";
    expect(result(text, sample({ identity }), scope)).toBe(true);
    expect(result("principal.with.lab.id == 'x'", sample(), scope)).toBe(absent("principal.with"));
  });
});

describe("errors", () => {
  it("are absorbed where the other side decides", () => {
    const error = "principal.claims.missing == 1";
    for (const text of [
      `true || ${error}`,
      `${error} || true`,
      `${error} || false || true`,
      `!(false && ${error})`,
      `!(${error} && false)`,
    ]) {
      expect([text, result(text)]).toEqual([text, true]);
    }
    for (const text of [
      `false || ${error}`,
      `${error} || false`,
      `true && ${error}`,
      `!(${error})`,
      `${error} || ${error} || false`,
    ]) {
      expect([text, result(text)]).toEqual([text, "no `missing` in `principal.claims`"]);
    }
  });

  it("are errors, not false, when a value is no bool", () => {
    expect(result("principal.claims.level || false")).toBe("an operand of a logical operator is not a bool");
    expect(result("principal.claims.level || true")).toBe(true);
    expect(result("principal.claims.level ? true : false")).toBe("the condition of `? :` is not a bool");
    expect(result("[1].all(x, principal.claims.level)")).toBe(
      "the predicate of a comprehension is not a bool",
    );
  });

  it("are told instead of wrong numbers", () => {
    const overflow = "an integer leaves the range of ±(2^53 − 1)";
    expect(result("body.i + 9007199254740991 > 0")).toBe(overflow);
    expect(result("body.i * 9007199254740991 > 0")).toBe(overflow);
    expect(result("body.j - 9007199254740991 < 0")).toBe(overflow);
    expect(result("1 / (body.i - 3) == 0")).toBe("division by zero");
    expect(result("1 % (body.i - 3) == 0")).toBe("division by zero");
    expect(result("7 / body.j == -1 && 7 % body.j == 3 && -7 / 2 == -3 && -7 % 2 == -1")).toBe(true);
    expect(result("int(body.d * 1e300) > 0")).toBe("not an integer within ±(2^53 − 1)");
  });
});

describe("functions", () => {
  it.each([
    "body.s.startsWith('h') && body.s.endsWith('o') && body.s.contains('éll') && size(body.s) == 5 && body.s.size() == 5",
    "size('a😀b') == 3 && size(body.l) == 3 && size(body.free) == 1 && size(principal.claims.groups) == 2",
    "body.s.matches('^h.llo$') && body.s.matches('ll') && !body.s.matches('^ll')",
    "inRange(client.ip, '10.0.0.0/8', '2001:db8::/32') && !inRange(client.ip, '192.168.0.0/16')",
    "inRange('::ffff:10.0.0.1', '10.0.0.1') && !inRange('2001:db8::1', '10.0.0.0/8')",
    "int('42') == 42 && int(2.9) == 2 && int(-2.9) == -2 && double('1.5') == 1.5 && double(2) == 2.0",
    "string(1) == '1' && string(1.5) == '1.5' && string(true) == 'true' && bool('true') && !bool('0')",
    "int(principal.claims.level) + 1 == 4 && 'l' + string(principal.claims.level) == 'l3'",
    "dyn(1) == 1.0 && dyn('1') != 1 && dyn([1]) == [1.0]",
    "[1, 2, 3].map(x, x * 2) == [2, 4, 6] && [1, 2, 3].filter(x, x > 1) == [2, 3]",
    "[1, 2, 3].map(x, x > 1, x * 2) == [4, 6] && [1, 2].exists_one(x, x == 2) && !['a', 'a'].exists_one(x, x == 'a')",
    "body.l.all(x, body.l.exists(y, y >= x)) && {'a': 1, 'b': 2}.all(k, k in ['a', 'b'])",
    "{'a': 1}['a'] == 1 && {'a': 1}.a == 1 && 'a' in {'a': 1} && dyn({'a': [1]}) == {'a': [1.0]}",
    "body.b ? body.i == 3 : principal.claims.missing == 1",
    "[1] + [2] == [1, 2] && 'a' + 'b' == 'ab' && 'a' < 'b' && false < true",
    "2 in [1, 2] && !(2 in body.l.map(x, x + 5)) && 'a' in body.ls",
  ])("holds: %s", (text) => {
    expect(result(text)).toBe(true);
  });

  it.each([
    "request.time == timestamp('2026-06-01T12:00:00Z') && request.time > timestamp('2026-06-01T13:59:59+02:00')",
    "request.time - timestamp('2026-06-01T11:00:00Z') == duration('1h') && duration('1h30m') > duration('89m59s')",
    "request.time + duration('30m') > request.time && duration('-1.5s') == duration('1s') - duration('2500ms')",
    "request.time.getHours() == 12 && request.time.getHours('Europe/Berlin') == 14 && request.time.getHours('+05:30') == 17",
    "request.time.getFullYear() == 2026 && request.time.getMonth() == 5 && request.time.getDate() == 1",
    "request.time.getDayOfMonth() == 0 && request.time.getDayOfWeek() == 1 && request.time.getDayOfYear() == 151",
    "request.time.getMinutes('Asia/Kolkata') == 30 && request.time.getSeconds() == 0 && request.time.getMilliseconds() == 0",
    "duration('90m').getHours() == 1 && duration('90m').getMinutes() == 90 && duration('-90s').getMinutes() == -1",
    "int(request.time) == 1780315200 && timestamp(1780315200) == request.time && string(request.time) == '2026-06-01T12:00:00Z'",
    "timestamp(principal.claims.iat) < request.time && string(duration('1500ms')) == '1.5s'",
    "request.time in [timestamp('2026-06-01T12:00:00Z')]",
  ])("knows time: %s", (text) => {
    const identity = identityOf({ claims: { iat: "2026-06-01T11:59:59.123456Z" } });
    expect(result(text, sample({ identity }))).toBe(true);
  });

  it.each([
    [
      "timestamp(principal.tenant) > request.time",
      "not a timestamp of RFC 3339 between the years 1 and 9999",
    ],
    ["timestamp(string(body.i)) > request.time", "not a timestamp of RFC 3339 between the years 1 and 9999"],
    ["duration(params.tenant) > duration('1s')", "not a duration such as `90s`, `1h30m` or `250ms`"],
    ["int(params.tenant) == 1", "not an integer within ±(2^53 − 1)"],
    ["int(string(principal.claims.groups)) == 1", "a list, map or null has no text form"],
    ["bool(params.tenant)", "not a bool"],
    ["principal.claims.level.startsWith('3')", "a text function is given something that is no text"],
    ["size(principal.claims.level) == 1", "`size` is given something that is neither text, list nor map"],
    ["inRange(principal.tenant, '10.0.0.0/8')", "`inRange` is given something that is no IP address"],
    ["1 in principal.claims.level", "the right side of `in` is neither a list nor a map"],
    ["principal.claims.level < 'x'", "values of these types have no order"],
    ["body.l[3] == 1", "nothing at `body.l[3]`"],
    ["body.l[body.j] == 1", "nothing at `body.l[body.j]`"],
    ["principal.claims.level.exists(x, x == 1)", "what is stepped through is neither a list nor a map"],
    [
      "request.time + duration('2000000h') + duration('80000000h') > request.time",
      "an instant leaves the years 1 to 9999, or a duration 10,000 years",
    ],
  ])("errs: %s", (text, error) => {
    expect(result(text)).toBe(error);
  });
});

describe("bounds", () => {
  it("gives comprehensions 10,000 steps together", () => {
    const long = (length: number) => sample({ body: { l: Array.from({ length }, () => 1) } });
    expect(result("body.l.all(x, x == 1)", long(10_000))).toBe(true);
    expect(result("body.l.all(x, x == 1)", long(10_001))).toBe("the condition takes more than 10,000 steps");
    expect(result("body.l.all(x, body.l.all(y, y == x))", long(99))).toBe(true);
    expect(result("body.l.all(x, body.l.all(y, y == x))", long(100))).toBe(
      "the condition takes more than 10,000 steps",
    );
    expect(result("body.l.all(x, x == 1) && body.l.all(x, x == 1)", long(5001))).toBe(
      "the condition takes more than 10,000 steps",
    );
    const compiled = condition("body.l.all(x, x == 1)");
    expect(compiled.evaluate(long(10_001))).not.toBe(true);
    expect(compiled.evaluate(long(10_000))).toBe(true);
  });

  it("lets no text or list grow without end", () => {
    const doubling = ".map(x, x + x)".repeat(20);
    expect(result(`size([body.s]${doubling}[0]) > 0`, sample({ body: { s: "x".repeat(1000) } }))).toBe(
      "a text grows beyond a million characters",
    );
    expect(result(`size([body.l]${doubling}[0]) > 0`)).toBe("the condition takes more than 10,000 steps");
  });

  it("compares claims that are nested deeper than the stack", () => {
    const nested = (): unknown => JSON.parse(`${"[".repeat(20_000)}1${"]".repeat(20_000)}`);
    const identity = identityOf({ claims: { a: nested(), b: nested(), c: [nested()] } });
    expect(
      result(
        "principal.claims.a == principal.claims.b && principal.claims.a != principal.claims.c",
        sample({ identity }),
      ),
    ).toBe(true);
  });

  it.each([
    ["deep parentheses", `${"(".repeat(5000)}true${")".repeat(5000)}`],
    ["deep negation", `${"!".repeat(5000)}true`],
    ["deep negation with blanks", `${"! ".repeat(5000)}true`],
    ["a long chain", Array.from({ length: 1500 }, () => "true").join("||")],
    ["a long chain of fields", `principal.claims${".a".repeat(1500)} == 1`],
    ["a deep ternary", `${"true ? ".repeat(1000)}true${": true".repeat(1000)}`],
    ["a long text", `'${"x".repeat(20_000)}' == ''`],
  ])("refuses %s while compiling", (_, text) => {
    expect(diagnose(text)).toEqual([
      expect.objectContaining({ code: "condition-too-large", pointer: "/here", severity: "error" }),
    ]);
  });

  it("evaluates the longest chains that it accepts", () => {
    expect(
      result(
        Array.from({ length: 400 }, (_, index) => `body.i == ${index}`)
          .slice(0, 190)
          .join(" || "),
      ),
    ).toBe(true);
  });

  it("matches in time linear in the text", () => {
    const evil = sample({ body: { s: `${"a".repeat(50_000)}!` } });
    expect(result("body.s.matches('^(a+)+$')", evil)).toBe(false);
  });
});

describe("no host object can be reached", () => {
  const names = [
    "constructor",
    "__proto__",
    "prototype",
    "toString",
    "valueOf",
    "hasOwnProperty",
    "__defineGetter__",
  ];

  it.each(names.filter((name) => name !== "__proto__" && name !== "prototype"))(
    "`%s` is a plain name",
    (name) => {
      expect(result(`has(principal.claims.${name})`)).toBe(false);
      expect(result(`principal.claims.${name} == 1`)).toBe(`no \`${name}\` in \`principal.claims\``);
      expect(result(`has(body.free.${name}) || '${name}' in body.free`)).toBe(false);
      expect(result(`'${name.toLowerCase()}' in headers || '${name}' in query || '${name}' in cookies`)).toBe(
        false,
      );
      expect(diagnose(`principal.${name} == 1`)).toEqual([expect.objectContaining({ code: "unknown-name" })]);
      expect(diagnose(`body.${name} == 1`)).toEqual([expect.objectContaining({ code: "unknown-name" })]);
      expect(diagnose(`${name} == 1`)).toEqual([expect.objectContaining({ code: "unknown-name" })]);
      expect(diagnose(`${name}('return 1') == 1`)).toEqual([
        expect.objectContaining({ code: "unknown-function" }),
      ]);
      expect(diagnose(`body.s.${name}() == 1`)).toEqual([
        expect.objectContaining({ code: "unknown-function" }),
      ]);
    },
  );

  it.each(names)("`%s` in brackets is a plain name", (name) => {
    expect(result(`principal.claims['${name}'] == 1`)).toBe(`no \`${name}\` in \`principal.claims\``);
    expect(result(`body.s['${name}'] == 1`.replace("body.s", "dyn(body.s)"))).toBe(
      `no \`${name}\` in \`dyn(body.s)\``,
    );
    expect(result(`dyn(body.l)['${name}'] == 1`)).toBe(`no \`${name}\` in \`dyn(body.l)\``);
    expect(
      result(
        `dyn(body.l)[principal.claims.k] == 1`,
        sample({ identity: identityOf({ claims: { k: name } }) }),
      ),
    ).toBe("nothing at `dyn(body.l)[principal.claims.k]`");
  });

  it("reads own members of a principal whose prototype was polluted", () => {
    const polluted = identityOf();
    Object.setPrototypeOf(polluted.principal, { tenant: "t-1" });
    expect(result("principal.tenant == 't-1'", sample({ identity: polluted }))).toBe(
      absent("principal.tenant"),
    );
  });

  it("conditions_never_throw", () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    const texts = [
      "principal.claims.a == principal.claims.b || principal.claims.a < principal.claims.b",
      "principal.claims.a in principal.claims.b",
      "principal.claims.a.exists(x, x == principal.claims.b) && size(principal.claims.a) > 1",
      "principal.claims.a[principal.claims.b] == 1",
      "int(principal.claims.a) > 1 || double(principal.claims.a) > 1.0 || bool(principal.claims.a)",
      "string(principal.claims.a).contains('x') || principal.claims.a.startsWith('x')",
      "timestamp(principal.claims.a) < request.time || duration(principal.claims.b) > duration('1s')",
      "inRange(principal.claims.a, '::/0') || principal.claims.a.matches('x') || principal.claims.a.b.c",
      "principal.claims.a ? principal.claims.b : !principal.claims.a",
    ].map((text) => condition(`(${text}) == true`));
    fc.assert(
      fc.property(value, value, (a, b) => {
        const state = sample({ identity: identityOf({ claims: { a, b } }) });
        for (const compiled of texts) {
          const outcome = compiled.evaluate(state);
          expect(["boolean", "object"]).toContain(typeof outcome);
          expect(compiled.explain(state).reason).toEqual(expect.any(String));
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("explanations", () => {
  const told = (text: string, state = sample()): unknown => condition(text).explain(state);

  it("name the side of `||` that was true, with what it read", () => {
    expect(told("principal.tenant == 'other' || 'clerk' in principal.roles")).toEqual({
      reason: "`'clerk' in principal.roles` is true",
      read: [{ fact: "principal.roles", value: ["clerk", "customer"] }],
    });
  });

  it("name every side when none was true, and the one that made `&&` false", () => {
    expect(told("principal.tenant == 'x' || ('admin' in principal.roles && params.n > 3)")).toEqual({
      reason: "`principal.tenant == 'x'` is false; `'admin' in principal.roles` is false",
      read: [
        { fact: "principal.tenant", value: "t-1" },
        { fact: "principal.roles", value: ["clerk", "customer"] },
      ],
    });
  });

  it("look through `!` and `? :`, and quote parentheses whole", () => {
    expect(told("!(body.b ? ('admin' in principal.roles) : true)")).toEqual({
      reason: "`body.b` is true; `'admin' in principal.roles` is false",
      read: [{ fact: "body.b" }, { fact: "principal.roles", value: ["clerk", "customer"] }],
    });
    expect(told("(body.i + 1) * 2 == (7)")).toEqual({
      reason: "`(body.i + 1) * 2 == (7)` is false",
      read: [{ fact: "body.i" }],
    });
  });

  it("tell an error by its part", () => {
    expect(told("principal.claims.missing == 1 || false")).toEqual({
      reason: "`principal.claims.missing == 1` cannot be evaluated: no `missing` in `principal.claims`",
      read: [{ fact: "principal.claims.missing" }],
    });
  });

  it("never show headers, cookies, query, body, or claims that look like credentials", () => {
    const identity = identityOf({
      claims: { access_token: "c-1", jti: "c-2", org: { client_secret: "c-3" } },
      fields: { apiKey: "c-4" },
    });
    const scope = { ...SCOPE, principalFields: ["apiKey"] };
    const text =
      "headers.authorization == 'x' || cookies.theme == 'x' || query.free == 'x' || body.s == 'x' || " +
      "principal.claims.access_token == 'x' || principal.claims.jti == 'x' || principal.claims.org.client_secret == 'x' || principal.apiKey == 'x'";
    const parts = text.split(" || ");
    const state = sample({ identity });
    for (const part of parts) {
      expect(condition(part, scope).explain(state)).toEqual({
        reason: `\`${part}\` is false`,
        read: [{ fact: part.split(" ")[0] }],
      });
    }
  });
});
