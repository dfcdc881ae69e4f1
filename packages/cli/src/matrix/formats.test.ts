import { describe, expect, it } from "vitest";
import { matrixChanges } from "./compare.js";
import { formatMatrix, readTable } from "./formats.js";
import type { Matrix } from "./matrix.js";
import { tableOf } from "./text.js";

const found: Matrix = {
  policy: 'shop </title><script>alert("1")</script>',
  callers: ["anonymous", "no role", "=cmd|'/c calc'!A1", "a_b*c|d<i>"],
  rows: [
    {
      route: "GET /a|b/:id",
      cells: [
        { outcome: "refuse", status: 401, code: "unauthenticated" },
        { outcome: "none" },
        {
          outcome: "conditional",
          conditions: ['`a || "b" == "\\\\"`', "`` x`y ``"],
          status: 403,
          code: "forbidden",
        },
        { outcome: "varies", by: [{ authenticator: "user", cell: { outcome: "allow" } }] },
      ],
    },
    { route: "* /b", cells: Array.from({ length: 4 }, () => ({ outcome: "allow" as const })) },
  ],
};

describe("a matrix that is written and read back", () => {
  it.each(["markdown", "csv", "json"] as const)("as %s is the same", (format) => {
    const text = formatMatrix(found, format);
    expect(readTable(text, format)).toEqual(tableOf(found));
    expect(matrixChanges(readTable(text, format), tableOf(found))).toEqual([]);
  });

  it("is read from a Markdown page with other text, and with the padding of a formatter", () => {
    const text = formatMatrix(found, "markdown").replaceAll(" | ", "   |  ");
    expect(readTable(`# Access\n\nReviewed in June.\n\n${text}\nmore`, "markdown")).toEqual(tableOf(found));
  });

  it("is read from CSV as a spreadsheet saves it: without quotes where none are needed", () => {
    expect(readTable('route,anonymous\nGET /,allow\nGET /b,"a, ""b"""\n', "csv")).toEqual([
      ["route", "anonymous"],
      ["GET /", "allow"],
      ["GET /b", 'a, "b"'],
    ]);
  });

  it.each([
    ["no table", "markdown", "it has no table"],
    ["", "csv", "it has no rows"],
    ["{}", "json", "it is no matrix"],
    ["<p>", "html", "HTML is not read back"],
  ] as const)("is refused where it is none: %j as %s", (text, format, message) => {
    expect(() => readTable(text, format)).toThrow(message);
  });
});

it("starts no cell of CSV with what a spreadsheet takes for a formula", () => {
  const [head = ""] = formatMatrix(found, "csv").split("\r\n");
  expect(head).toBe(`"route","anonymous","no role","'=cmd|'/c calc'!A1","a_b*c|d<i>"`);
});

it("lets no markup of the policy into HTML, and runs nothing", () => {
  const text = formatMatrix(found, "html");
  expect(text).not.toContain("<script");
  expect(text).not.toContain("<i>");
  expect(text).toContain("<title>Access matrix of shop &lt;/title&gt;&lt;script&gt;");
  expect(text).toContain("default-src 'none'");
  expect(text).not.toMatch(/https?:\/\//u);
});

describe("what changed since the review", () => {
  const before = [
    ["route", "anonymous", "clerk", "gone"],
    ["GET /a", "401 unauthenticated", "allow", "allow"],
    ["GET /old", "allow", "allow", "allow"],
  ];
  const after = [
    ["route", "anonymous", "clerk", "new"],
    ["GET /a", "401 unauthenticated", "403 forbidden", "allow"],
    ["GET /b", "allow", "allow", "allow"],
  ];

  it("is told cell by cell", () => {
    expect(matrixChanges(before, after)).toEqual([
      "new caller `new`",
      "caller `gone` is gone",
      "`GET /a` for `clerk`: was allow, is 403 forbidden",
      "new route `GET /b` for `anonymous`: allow",
      "new route `GET /b` for `clerk`: allow",
      "new route `GET /b` for `new`: allow",
      "route `GET /old` is gone",
    ]);
  });

  it("is nothing where only the order of rows and columns differs", () => {
    const [head = [], a = [], old = []] = before;
    const swap = ([route = "", x = "", y = "", z = ""]: readonly string[]): string[] => [route, z, y, x];
    expect(matrixChanges([head, a, old], [swap(head), swap(old), swap(a)])).toEqual([]);
  });
});
