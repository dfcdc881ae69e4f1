import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Report } from "../errors/diagnostics.js";
import { diagnose, result, sample, SCOPE } from "./conditions.test-support.js";
import { compileCondition, compileNumber, isConditionError } from "./index.js";

function only(
  text: string,
  scope = SCOPE,
): readonly [code: string, message: string, help: string | undefined] {
  const [first, ...others] = diagnose(text, scope);
  expect(others).toEqual([]);
  expect(first).toMatchObject({ severity: "error", pointer: "/here" });
  return [first?.code ?? "", first?.message ?? "", first?.help];
}

describe("what a condition may not say", () => {
  it.each([
    ["principl.id == 'x'", "unknown-name", "`principl` is no name here", "did you mean `principal`?"],
    ["principal.tenat == 'x'", "unknown-name", "`principal` has no `tenat`", "did you mean `tenant`?"],
    ["params.tenent == 'x'", "unknown-name", "`params` has no `tenent`", "did you mean `tenant`?"],
    ["body.customer.nam == 'x'", "unknown-name", "`body.customer` has no `nam`", "did you mean `name`?"],
    ["has(body.customer.nam)", "unknown-name", "`body.customer` has no `nam`", "did you mean `name`?"],
    [
      "body.items.exists(i, i.sk == 'x')",
      "unknown-name",
      "`body.items[]` has no `sk`",
      "did you mean `sku`?",
    ],
    ["request.methd == 'GET'", "unknown-name", "`request` has no `methd`", "did you mean `method`?"],
    ["client.ip4 == 'x'", "unknown-name", "`client` has no `ip4`", "did you mean `ip`?"],
    [
      "headers['X-Purpose'] == 'x'",
      "unknown-name",
      '`headers["X-Purpose"]` can never be read',
      'header names are lower case here: `headers["x-purpose"]`',
    ],
    ["'clerc' in principal.roles", "unknown-role", "unknown role `clerc`", "did you mean `clerk`?"],
    ["'nobody' in principal.roles", "unknown-role", "unknown role `nobody`", "declare it under `roles`"],
    [
      "principal.claims.vip",
      "condition-type",
      "a condition must be bool, `principal.claims.vip` is dyn",
      "write `== true`: only the value true grants",
    ],
    [
      "dyn(true)",
      "condition-type",
      "a condition must be bool, `dyn(true)` is dyn",
      "write `== true`: only the value true grants",
    ],
    ["body.i", "condition-type", "a condition must be bool, `body.i` is int", undefined],
    ["body.s == 1", "condition-type", "no such overload: string == int", undefined],
    ["params.n == 'x'", "condition-type", "no such overload: int == string", undefined],
    [
      "body.i + 1.5 > 2.0",
      "condition-type",
      "`body.i + 1.5` does not fit its types: `body.i` is int, `1.5` is double",
      "write `double(…)` around the integer, or `2.0` for `2`",
    ],
    [
      "principal.level + 1 > 2",
      "condition-type",
      "`principal.level + 1` does not fit its types: `principal.level` is dyn, `1` is int",
      "its type is only known while serving: write `int(…)`, `double(…)` or `string(…)` around it",
    ],
    [
      "principal == body.s",
      "condition-type",
      "`principal` is used as a value",
      "name a field of it: `principal.…`",
    ],
    [
      "size(headers) > 1",
      "condition-type",
      "`headers` is used as a value",
      "name a field of it: `headers.…`",
    ],
    [
      "dyn(body.customer) == 1",
      "condition-type",
      "`body.customer` is used as a value",
      "name a field of it: `name`, `vip`",
    ],
    [
      "headers[params.tenant] == 'x'",
      "condition-type",
      "`headers` is used as a value",
      "name a field of it: `headers.…`",
    ],
    [
      "'tenant' in principal",
      "condition-type",
      "`'tenant' in principal` does not fit: `principal` is no list",
      "write `has(principal.name)`",
    ],
    [
      "request.time == principal.claims.iat",
      "condition-type",
      "`request.time == principal.claims.iat` does not fit its types: `request.time` is timestamp, `principal.claims.iat` is dyn",
      "convert the other side: `timestamp(…)` or `duration(…)`",
    ],
    [
      "dyn(request.time) == 1",
      "condition-type",
      "`dyn(request.time)` does not fit its types: `request.time` is timestamp",
      "instants and durations keep their type",
    ],
    [
      "request.time.all()",
      "condition-type",
      "`request.time.all()` does not fit its types: `request.time` is timestamp",
      undefined,
    ],
    [
      "body.ls.map() == 1",
      "condition-type",
      "`body.ls.map()` does not fit its types: `body.ls` is list<string>",
      undefined,
    ],
    [
      "timestamp('2026-02-30T00:00:00Z') < request.time",
      "condition-type",
      "`'2026-02-30T00:00:00Z'` cannot be converted: not a timestamp of RFC 3339 between the years 1 and 9999",
      undefined,
    ],
    [
      "timestamp('2026-02-28T24:00:00Z') < request.time",
      "condition-type",
      "`'2026-02-28T24:00:00Z'` cannot be converted: not a timestamp of RFC 3339 between the years 1 and 9999",
      undefined,
    ],
    [
      "duration('1us') < duration('1s')",
      "condition-type",
      "`'1us'` cannot be converted: a duration finer than a millisecond",
      undefined,
    ],
    [
      "body.i == 9007199254740992",
      "condition-type",
      "`9007199254740992` is beyond 2^53 − 1",
      "JSON cannot carry such integers exactly: compare them as text",
    ],
    [
      "body.i == 1u",
      "condition-type",
      "`1u` is of a type that no fact has",
      "there are int, double, string, bool and null",
    ],
    [
      "body.s.matches(body.ls[0])",
      "pattern-not-literal",
      "the pattern of `body.s.matches(…)` is not written here",
      "write it as text: patterns are compiled when the policy is",
    ],
    [
      "body.s.matches('(?=a)')",
      "invalid-pattern",
      "pattern `(?=a)` cannot be compiled: invalid or unsupported Perl syntax: `(?=`",
      "the syntax is RE2: no look-around, no back-references",
    ],
    [
      "inRange(client.ip, '10.1.0.0/8')",
      "invalid-range",
      "`10.1.0.0/8` has bits set after its prefix",
      "did you mean `10.0.0.0/8`?",
    ],
    [
      "inRange(client.ip, '010.0.0.0/8')",
      "invalid-range",
      "`010.0.0.0/8` is no IP address or CIDR range",
      'write an address or a CIDR range: `"10.0.0.0/8"`',
    ],
    [
      "inRange(client.ip, params.tenant)",
      "invalid-range",
      "`params.tenant` is no literal range",
      'write the range as text: `"10.0.0.0/8"`',
    ],
    [
      "inRange(client.ip)",
      "condition-type",
      "`inRange` takes an address and one or more ranges",
      'write `inRange(client.ip, "10.0.0.0/8")`',
    ],
    [
      "request.time.getHours('Mars/Base') > 1",
      "invalid-zone",
      "`'Mars/Base'` is no time zone",
      'write it as text: `"Europe/Berlin"` or `"+02:00"`',
    ],
    [
      "body.s.startWith('x')",
      "unknown-function",
      "`startWith` is no function of conditions",
      "did you mean `startsWith`?",
    ],
    [
      "body.s.lowerAscii() == 'x'",
      "unknown-function",
      "`lowerAscii` is no function of conditions",
      expect.stringContaining("there are `contains`"),
    ],
    [
      "type(body.i) == 1",
      "unknown-function",
      "`type` is no function of conditions",
      expect.stringContaining("there are `has`"),
    ],
    ["has(body)", "condition-type", "`has(body)` asks for no field", "write `has(name.field)`"],
    [
      "{body.s: 1}['a'] == 1",
      "condition-type",
      "the keys of `{body.s: 1}` are not different literal texts",
      undefined,
    ],
    ["body.i >", "condition-syntax", "no expression: unexpected token: EOF at character 9", undefined],
    [
      "body.i = 3",
      "condition-syntax",
      "no expression: unexpected character: = at character 8",
      "CEL compares with `==`",
    ],
    ["", "condition-syntax", "no expression: unexpected token: EOF at character 1", undefined],
  ])("%s", (text, code, message, help) => {
    expect(only(text)).toEqual([code, message, help]);
  });

  it("tells all that is wrong at once", () => {
    expect(diagnose("principal.tenat == 'x' && 'clerc' in principal.roles").map(({ code }) => code)).toEqual([
      "unknown-name",
      "unknown-role",
    ]);
  });

  it("reads no principal where nobody is known", () => {
    const open = { ...SCOPE, principal: "none" as const };
    for (const field of ["id", "tenant", "anything"]) {
      expect(only(`principal.${field} == 'x'`, open)).toEqual([
        "principal-on-open-route",
        `\`principal.${field}\` is read where nobody is known: the route says \`"authenticate": "none"\``,
        "name an authenticator on the route, or take the condition out",
      ]);
    }
    expect(diagnose("'clerk' in principal.roles", open)).toMatchObject([{ code: "principal-on-open-route" }]);
  });

  it("reads no body where none is declared", () => {
    expect(only("body.i == 1", { ...SCOPE, body: undefined })).toEqual([
      "body-without-schema",
      "`body` is read on a route that has no `request.body`",
      "write a schema for the body under `request`",
    ]);
  });

  it("takes any field of a principal whose fields stand in a secret", () => {
    const open = { ...SCOPE, anyPrincipalField: true };
    expect(diagnose("principal.plan == 'gold'", open)).toEqual([]);
  });
});

describe("costs", () => {
  const cost = (text: string): unknown => {
    const report = new Report();
    const compiled = compileNumber(text, SCOPE, "/cost", report);
    const value = compiled?.evaluate(sample());
    return isConditionError(value)
      ? value.error
      : (value ?? report.diagnostics.map(({ code, message }) => [code, message]));
  };

  it("are integers from 1 on", () => {
    expect(cost("size(body.l) * 2")).toBe(6);
    expect(cost("body.j")).toBe("a cost is an integer from 1 to 2^31 − 1");
    expect(cost("0")).toBe("a cost is an integer from 1 to 2^31 − 1");
    expect(cost("body.i * 2147483647")).toBe("a cost is an integer from 1 to 2^31 − 1");
    expect(cost("int(principal.claims.missing)")).toBe("no `missing` in `principal.claims`");
    expect(cost("principal.level")).toEqual([
      ["condition-type", "a cost must be int, `principal.level` is dyn"],
    ]);
    expect(cost("body.d")).toEqual([["condition-type", "a cost must be int, `body.d` is double"]]);
  });
});

describe("compiling twice", () => {
  it("gives the same condition for the same text and scope, and the diagnostics again", () => {
    const report = new Report();
    expect(compileCondition("body.b", SCOPE, "/a", report)).toBe(
      compileCondition("body.b", SCOPE, "/b", report),
    );
    expect(diagnose("nope.x")).toEqual(diagnose("nope.x"));
  });
});

/** Whoever gets no condition and hears of nothing takes it that there was none, and lets everybody in. */
describe("what does not compile", () => {
  const values = fc.constantFrom(
    ..."request.time duration('1s') body.s body.i body.ls body.items body.free body.tree principal.claims".split(
      " ",
    ),
    ..."principal request 1 'a' null [] {} [request.time] {'a':1} headers.x x".split(" "),
  );
  const names = fc.constantFrom(
    ..."all exists exists_one map filter size contains startsWith endsWith matches getHours getFullYear".split(
      " ",
    ),
    ..."has int double string bool dyn timestamp duration inRange type".split(" "),
  );

  it("conditions_that_do_not_compile_are_always_reported", () => {
    fc.assert(
      fc.property(
        values,
        names,
        fc.array(values, { maxLength: 3 }),
        fc.boolean(),
        (target, name, args, method) => {
          const call = method
            ? `${target}.${name}(${args.join(", ")})`
            : `${name}(${[target, ...args].join(", ")})`;
          // It throws where there is neither a condition nor a diagnostic.
          for (const text of [call, `${call} == 1`, `${call}[0] == ${target}`, `!${call}`]) diagnose(text);
        },
      ),
      { numRuns: 500 },
    );
  });
});

/** Instants are numbers while they run: a claim that is one must never stand for an instant, nor an instant for a number. */
describe("instants beside what is only known while serving", () => {
  it.each([
    "[[], [request.time]][1][0] > 5",
    "{'a': {}, 'b': {'x': request.time}}['b']['x'] > 5",
    "[{}, {'a': request.time}].exists(m, has(m.a) && m.a > 5)",
    "{'a': request.time} == principal.claims.a",
    "{'a': request.time} == body.free",
    "dyn({'a': request.time}).a > 5",
    "[request.time] == [principal.claims.a]",
    "([request.time] + [principal.claims.a])[1] > request.time",
    "([principal.claims.a] + [request.time])[1] > 5",
    "([] + [request.time])[0] > 5",
    "[request.time] in [[principal.claims.a]]",
    "principal.claims.a in {'a': [request.time]}['a']",
    "(body.b ? {} : {'a': request.time}) == body.free",
  ])("`%s` is refused", (text) => {
    expect(diagnose(text).map(({ code }) => code)).toContain("condition-type");
  });

  it.each([
    "[[], [request.time]][1][0] > timestamp('2020-01-01T00:00:00Z')",
    "{'a': request.time}.a == request.time",
    "'a' in {'a': request.time}",
    "request.time in [request.time]",
    "[request.time] + [request.time] == [request.time, request.time]",
  ])("`%s` is not", (text) => {
    expect(result(text)).toBe(true);
  });
});
