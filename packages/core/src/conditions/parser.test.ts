import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { diagnose, result, SCOPE } from "./conditions.test-support.js";
import type { ASTNode, Unsigned } from "./ast.js";
import { baseEnvironment, libraryFor } from "./library.test-support.js";
import { isRejection, parse } from "./parse.js";
import { vocabularyOf } from "./roots.js";

const RUNS = Number(process.env["GATEHOUSE_CONDITION_RUNS"] ?? 400);

/** A tree of either parser, or why there is none, as data that can be compared. */
function ours(text: string): unknown {
  const parsed = parse(text);
  return isRejection(parsed) ? { code: parsed.code, message: parsed.message } : plain(parsed);
}

function theirs(text: string): unknown {
  try {
    return plain(baseEnvironment().parse(text).ast);
  } catch (error) {
    const { code, summary, range } = error as { code: string; summary: string; range: { start: number } };
    const told = summary.charAt(0).toLowerCase() + summary.slice(1);
    return code === "limit_exceeded"
      ? {
          code: "condition-too-large",
          message: `the expression is too large or too deep (${told})`,
        }
      : { code: "condition-syntax", message: `no expression: ${told} at character ${range.start + 1}` };
  }
}

function plain(part: unknown): unknown {
  if (typeof part === "bigint") return `int ${part}`;
  if (part instanceof Uint8Array) return `bytes ${[...part].join()}`;
  if (Array.isArray(part)) return part.map(plain);
  if (typeof part !== "object" || part === null) return part;
  // Theirs is a class that tells itself by `toString` too.
  if (!("op" in part)) return `unsigned ${(part as Unsigned).toString()}`;
  const { op, args, start, end } = part as ASTNode;
  return { op, args: plain(args), start, end };
}

const WORDS = [
  ..."( ) [ ] { } . , : ? ! - + * / % < <= > >= == != && || in".split(" "),
  ..."a b1 _x principal true false null if while has all exists map filter r b u".split(" "),
  ..."0 1 12 1.5 1e3 1e-2 2.5E+1 0x1F 7u 0xfu 1. .5 9223372036854775808 1e 1e999 18446744073709551616u".split(
    " ",
  ),
  `'t'`,
  `"t"`,
  `r'\\n'`,
  `b'\\x41'`,
  `'''a'b'''`,
  `"""a\nb"""`,
  `'\\u00e9\\n\\''`,
  `'\\U0001F600'`,
  `'\\101'`,
  `'\\q'`,
  `'\\u12'`,
  `'\\ud800'`,
  `'\\777'`,
  `'\\18'`,
  `'\\xg0'`,
  `b'\\u0041'`,
  `'open`,
  `"""open"`,
  `'new\nline'`,
  "// a comment\n",
  "\n",
  "&",
  "=",
  "#",
  "é",
];

const EXPRESSIONS = [
  "principal.tenant == params.tenant || 'clerk' in principal.roles",
  "body.items.exists(i, i.sku == 'A' && i.n == 1) && body.items[1].sku == \"B\"",
  "has(body.tree.next) ? !body.tree.leaf : -1 < size(body.ls) - 2 * 3 % 4 / 5",
  "{'a': [1, 2.5, 3u,], \"b\": {}}['a'].map(x, x > 1, x + 1).filter(y, y != 2) == []",
  "request.time.getHours(\"Europe/Berlin\") >= 8 && request.time < timestamp('2027-01-01T00:00:00Z') // late",
  'inRange(client.ip, \'10.0.0.0/8\', "::1",) && !(!true) && a.b.c[0]["d"](1)',
  "principal.claims['https://x.test/y'].all(r, r.matches('^a\\\\.b$')) && b\"\\x00\" != r'\\'",
];

/** Words in any order are seldom an expression; an expression with a character or a word too many often is nearly one. */
const texts = fc.oneof(
  fc
    .array(fc.tuple(fc.constantFrom(...WORDS), fc.constantFrom("", "", " ")), { maxLength: 12 })
    .map((words) => words.flat().join("")),
  fc
    .tuple(fc.constantFrom(...EXPRESSIONS), fc.nat(), fc.nat({ max: 2 }), fc.constantFrom("", ...WORDS))
    .map(([text, at, removed, added]) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + added + text.slice(place + removed);
    }),
);

/**
 * Where the other implementation leaves the grammar of CEL: there a backslash keeps a raw text open, and `==` binds less than `<`. What it
 * makes of that has tests of its own here.
 */
function leavesGrammar(text: string): boolean {
  if (/r["'][^]*\\/iu.test(text)) return true;
  const parsed = parse(text);
  return !isRejection(parsed) && followsEquality(parsed);
}

function followsEquality(part: unknown): boolean {
  if (Array.isArray(part)) return part.some(followsEquality);
  if (typeof part !== "object" || part === null || !("op" in part)) return false;
  const { op, args } = part as ASTNode;
  if (["<", "<=", ">", ">=", "in"].includes(op)) {
    const [left] = args as readonly ASTNode[];
    if (left?.op === "==" || left?.op === "!=") return true;
  }
  return followsEquality(args);
}

/** Every operator with its operands in parentheses. */
function grouped(text: string): string {
  const parsed = parse(text);
  return isRejection(parsed) ? parsed.message : shown(parsed);
}

function shown(node: ASTNode): string {
  const { op, args } = node;
  if (op === "?:") return `(${shown(args[0])} ? ${shown(args[1])} : ${shown(args[2])})`;
  if (op === "!_" || op === "-_") return `(${op.charAt(0)}${shown(args)})`;
  if (op === "id") return args;
  const [left, right] = args as readonly [ASTNode, ASTNode];
  return `(${shown(left)} ${op} ${shown(right)})`;
}

describe("the grammar of CEL", () => {
  it.each([
    ["a == b < c", "((a == b) < c)"],
    ["a < b == c", "((a < b) == c)"],
    ["a != b in c", "((a != b) in c)"],
    ["a in b == c in d", "(((a in b) == c) in d)"],
    ["a == b != c == d", "(((a == b) != c) == d)"],
    ["a == (b < c)", "(a == (b < c))"],
    ["a && b == c < d || e", "((a && ((b == c) < d)) || e)"],
    ["a - b - c * d % e", "((a - b) - ((c * d) % e))"],
    ["!a in b", "((!a) in b)"],
    ["-a < -b + c", "((-a) < ((-b) + c))"],
    ["a ? b : c ? d : e", "(a ? b : (c ? d : e))"],
    ["a || b ? c : d", "((a || b) ? c : d)"],
  ])("`%s` is `%s`", (text, expected) => {
    expect(grouped(text)).toBe(expected);
  });

  it("ends a raw text at the first quote, whatever stands before it", () => {
    expect(diagnose("body.s == r'\\'")).toEqual([]);
    expect(diagnose('body.s == r"""\\"""')).toEqual([]);
    expect(result("r'\\' == '\\\\'")).toBe(true);
    // One text from the first quote to the last to whoever lets a backslash keep it open, and then false.
    expect(result("r'\\' == ' || body.s == ' || true || r'\\' == 'x'")).toBe(true);
  });

  it("does not grant what only another grouping would", () => {
    expect(result("false == true in []")).toBe(false);
    expect(result("false == true < true")).toBe(true);
    expect(result("true == false < true")).toBe(true);
    expect(result("false == false < true")).toBe(false);
  });
});

describe("parsing", () => {
  it("conditions_are_parsed_as_another_implementation_parses_them", () => {
    fc.assert(
      fc.property(texts, (given) => {
        fc.pre(!leavesGrammar(given));
        // An exponent without digits that ends the text is another number and a name there.
        const text = /\d[eE]$/u.test(given) ? `${given} ` : given;
        expect(ours(text)).toEqual(theirs(text));
      }),
      { numRuns: RUNS * 5 },
    );
  });

  it.each([
    ["nodes", Array.from({ length: 400 }, () => "a").join(" + ")],
    ["more nodes", Array.from({ length: 600 }, () => "a").join(" + ")],
    ["nodes, the last of which is a member", `${"a+".repeat(498)}(a + a.bcd)`],
    ["parentheses", `${"(".repeat(62)}a${")".repeat(62)}`],
    ["more parentheses", `${"(".repeat(64)}a${")".repeat(64)}`],
    ["members", `a${".b".repeat(62)}`],
    ["more members", `a${".b".repeat(64)}`],
    ["indices", `a${"[0]".repeat(64)}`],
    ["choices", `${"a ? b : ".repeat(70)}c`],
    ["items", `[${"1,".repeat(500)}]`],
    ["more items", `[${"1,".repeat(501)}]`],
    ["entries", `{${"1:2,".repeat(100)}}`],
    ["more entries", `{${"a.b:2,".repeat(101)}}`],
    ["arguments", `f(${"1,".repeat(32)})`],
    ["more arguments", `a.f(${"1,".repeat(33)})`],
    ["prefixes", `${"!".repeat(32)}a`],
    ["a variable that is none", "a.all(b.c, true)"],
    ["a variable that is none, for map", "a.map(1, true)"],
    ["a variable that is none, for map with a filter", "a.map(f(), true, 1)"],
    ["a variable that is none, for filter", "a.filter('x', true)"],
  ])("bounds %s as the other does", (_, text) => {
    expect(ours(text)).toEqual(theirs(text));
  });

  it("tells what it expected of an exponent that ends the text", () => {
    expect(ours("1e")).toEqual({
      code: "condition-syntax",
      message: "no expression: invalid exponent at character 3",
    });
  });
});

/** Without `[]` and `{}`: ours are of any type, theirs of one that nothing has yet. */
const LEAVES = [
  ..."1 2.5 true null 'a' [1] ['a'] [[1]] {'a':1} {'a':'b'}".split(" "),
  ..."body.i body.d body.s body.b body.l body.ls body.items body.free body.either body.tree.next.leaf".split(
    " ",
  ),
  ..."principal.claims principal.claims.a principal.roles principal.tenant query.page headers.x".split(" "),
  "request.time",
  "duration('1s')",
  "body.items[0].n",
  "dyn([1])",
];

const leaf = fc.constantFrom(...LEAVES);

/** Of any types whatever. */
const typed = fc.letrec<{ part: string }>((tie) => {
  const part = tie("part");
  const infix = fc.constantFrom("==", "!=", "<", ">=", "in", "+", "-", "*", "&&", "||");
  return {
    part: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      leaf,
      fc.tuple(part, infix, part).map(([a, op, b]) => `(${a} ${op} ${b})`),
      fc.tuple(part, part, part).map(([a, b, c]) => `(${a} == ${a} ? ${b} : ${c})`),
      fc.tuple(part, part).map(([a, b]) => `[${a}, ${b}]`),
      fc.tuple(part, part).map(([a, b]) => `{'a': ${a}, 'b': ${b}}`),
      fc.tuple(part, part).map(([a, b]) => `${a}[${b}]`),
      part.map((a) => `size(${a})`),
      part.map((a) => `!${a}`),
      part.map((a) => `has(${a}.sku)`),
      fc.tuple(part, part).map(([a, b]) => `${a}.exists(x, x == ${b})`),
      fc.tuple(part, part).map(([a, b]) => `${a}.map(x, [x, ${b}])`),
      fc.tuple(part, part).map(([a, b]) => `${a}.filter(x, x in ${b})`),
    ),
  };
}).part;

/** What ours says of types that do not fit each other; the rest it refuses on grounds of its own. */
const OF_TYPES = /^(?:no such overload|List elements|Map value)|asks for a field of what has no name/u;

describe("types", () => {
  it("conditions_are_typed_as_another_implementation_types_them", () => {
    fc.assert(
      fc.property(fc.tuple(typed, fc.constantFrom("==", "<", "in"), typed), ([a, op, b]) => {
        const text = `${a} ${op} ${b}`;
        const said = diagnose(text);
        const { valid } = libraryFor(vocabularyOf(SCOPE), text).environment.check(text);
        if (said.length === 0) expect([text, valid]).toEqual([text, true]);
        if (said.every(({ message }) => OF_TYPES.test(message)) && said.length > 0)
          expect([text, valid]).toEqual([text, false]);
      }),
      { numRuns: RUNS },
    );
  });

  it.each([
    ["null == 'a'", false],
    ["principal.claims.a == null", true],
    ["body.i == 2.0 && 2.0 != body.i", true],
    ["[1] == [2.0]", false],
    ["body.l == ['a']", false],
    ["body.l == dyn([1])", true],
    ["1 in ['a']", false],
    ["1 in [2.0]", false],
    ["1 in body.free", false],
    ["body.s in body.free", true],
    ["body.free < 1", false],
    ["null < principal.claims.a", false],
    ["1 < 2.0", true],
    ["1 < 'a'", false],
    ["[1, 2.0] == []", false],
    ["[[], [1]] == []", true],
    ["[[], [1]] == [['a']]", false],
    ["[principal.claims.a, 1] == []", false],
    ["{'a': 1, 'b': 'c'} == {}", false],
    ["[1] + ['a'] == []", false],
    ["[1] + [principal.claims.a] == []", true],
    ["has(body.items[0].sku)", false],
    ["(body.b ? body.items : [body.tree]) == []", false],
  ])("of `%s` fit: %s", (text, fits) => {
    const { valid } = libraryFor(vocabularyOf(SCOPE), text).environment.check(text);
    expect([diagnose(text).length === 0, valid]).toEqual([fits, fits]);
  });
});
