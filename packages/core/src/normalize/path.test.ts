import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { accepted, normalizerFor, outcome, rawRequest } from "./normalize.test-support.js";

const normalize = normalizerFor();
const read = (target: string, method = "GET") => normalize(rawRequest({ target, method }));
const code = (target: string, method = "GET") => {
  const result = outcome(read(target, method));
  return typeof result === "string" ? result : "accepted";
};

/** Everything that somebody has read as another path. */
const AMBIGUOUS = [
  "//admin",
  "///admin",
  "/admin//",
  "/a//b",
  "//evil.example/admin",
  "/./admin",
  "/admin/.",
  "/admin/..",
  "/x/../admin",
  "/../admin",
  "/.",
  "/..",
  "/%2e/admin",
  "/%2E/admin",
  "/x/%2e%2e/admin",
  "/x/%2E%2e/admin",
  "/x/.%2e/admin",
  "/x/%2e./admin",
  "/x/..%2fadmin",
  "/x%2fadmin",
  "/x%2Fadmin",
  "/%2fadmin",
  "/x%5cadmin",
  "/x%5Cadmin",
  "/x\\admin",
  "\\admin",
  "/\\admin",
  "/..\\admin",
  "/admin;x=1",
  "/admin;/",
  "/;/admin",
  "/..;/admin",
  "/admin%3bx=1",
  "/%3B/admin",
  "/admin#x",
  "/admin?x=1#y",
  "#",
  "/admin%",
  "/admin%z",
  "/admin%zz",
  "/admin%4",
  "/admin%c0%80",
  "/admin%c0%ae",
  "/admin%e0%80%af",
  "/admin%ff",
  "/admin%ed%a0%80",
  "/admin%f4%90%80%80",
  "/admin%00",
  "/admin%00.png",
  "/admin%0a",
  "/admin%0d%0a",
  "/admin%09",
  "/admin%1f",
  "/admin%7f",
  "/admin%c2%80",
  "/admin%e2%80%a8",
  "/admin%e2%80%a9",
  "/admin\u0000",
  "/admin\n",
  "/admin\r",
  "/admin\t",
  "/admin ",
  "/ admin",
  "/admin\u007F",
  "/admin\u2028",
  "/adm\u00EFn",
  "/\u0130",
  "/\u212A",
  "/%252e%252e/admin",
  "/%252fadmin",
  "/x%252fadmin",
  "/%2561dmin",
  "/%2525",
  "/%25%32%65",
  "/%25252e",
  "/x%255cadmin",
  "/admin%253b",
  "/admin%2500",
  "admin",
  "",
  "?",
  "?x=1",
  "a.test:443",
  "a.test",
  "http://evil.example/admin",
  "http://a.test.evil/admin",
  "http://a.test@evil.example/admin",
  "http://user@a.test/admin",
  "http://a.test:8080/admin",
  "http:///admin",
  "http://",
  "http:/admin",
  "ftp://a.test/admin",
  "javascript:alert(1)",
  "http://a.test\\@evil/admin",
  "http://[::1/admin",
  "*",
];

describe("paths that are read in two ways", () => {
  it.each(AMBIGUOUS)("%j is refused", (target) => {
    expect(code(target)).toBe("ambiguous-path");
  });

  it("closes the connection", () => {
    expect(read("//admin")).toEqual({
      kind: "refusal",
      code: "ambiguous-path",
      reason: "the path has an empty segment",
      close: true,
    });
  });
});

describe("paths that are read in one way", () => {
  it.each([
    ["/", [""]],
    ["/admin", ["admin"]],
    ["/admin/", ["admin", ""]],
    ["/ADMIN", ["ADMIN"]],
    ["/%61dmin", ["admin"]],
    ["/admi%6E", ["admin"]],
    ["/a/b/c", ["a", "b", "c"]],
    ["/a.b/..c/d..", ["a.b", "..c", "d.."]],
    ["/...", ["..."]],
    ["/caf%C3%A9", ["café"]],
    ["/a%20b", ["a b"]],
    ["/100%25", ["100%"]],
    ["/%25zz", ["%zz"]],
    ["/%25", ["%"]],
    ["/a+b", ["a+b"]],
    ["/a%2Bb", ["a+b"]],
    ["/a:b@c,d=e!$&'()*~-_", ["a:b@c,d=e!$&'()*~-_"]],
    ["/a%3Fb", ["a?b"]],
    ["/%F0%9F%98%80", ["😀"]],
    ["/a|b[c]", ["a|b[c]"]],
    ["/__proto__/constructor", ["__proto__", "constructor"]],
  ])("%s has the segments %j", (target, segments) => {
    expect(accepted(read(target)).segments).toEqual(segments);
  });

  it("splits at the first question mark, once", () => {
    const request = accepted(read("/a/b?c=/../d?e;f=%2e"));
    expect([request.path, request.segments, request.queryText]).toEqual([
      "/a/b",
      ["a", "b"],
      "c=/../d?e;f=%2e",
    ]);
  });

  it("takes an absolute-form target whose host is the Host, in every spelling", () => {
    for (const target of ["http://a.test/x?y=1", "http://A.TEST:80/x?y=1", "HTTP://a.test./x?y=1"]) {
      const request = accepted(read(target));
      expect([request.path, request.segments, request.queryText]).toEqual(["/x", ["x"], "y=1"]);
    }
    expect(accepted(read("http://a.test")).path).toBe("/");
    expect(accepted(read("http://a.test?x")).queryText).toBe("x");
    expect(code("http://a.test/../x")).toBe("ambiguous-path");
  });

  it("leaves `*` to OPTIONS, and no route matches it", () => {
    expect(accepted(read("*", "OPTIONS"))).toMatchObject({ path: "*", segments: [], queryText: "" });
  });
});

describe("queries", () => {
  it.each(["/?a\u0000", "/?a b", "/?a\n", "/?\u2028", "/?caf\u00E9", "/?a=%00", "/?a\u007F"])(
    "%j is refused",
    (target) => {
      expect(code(target)).toBe("malformed-query");
    },
  );

  it("leaves its decoding to whoever reads it", () => {
    expect(accepted(read("/?a=%zz&b=%0a&c=\\")).queryText).toBe("a=%zz&b=%0a&c=\\");
  });
});

describe("bounds", () => {
  it("refuses a target that is too long, query included", () => {
    expect(code(`/${"a".repeat(8191)}`)).toBe("accepted");
    expect(code(`/${"a".repeat(8192)}`)).toBe("target-too-long");
    expect(code(`/?${"a".repeat(8191)}`)).toBe("target-too-long");
  });
});

const spelled = fc.array(
  fc.oneof(
    fc.constantFrom(
      "/",
      ".",
      "..",
      "%2e",
      "%2f",
      "%5c",
      "\\",
      ";",
      "%3b",
      "%25",
      "%252e",
      "//",
      "%00",
      "%c0",
      "%c3%a9",
      "#",
      "a",
      "B",
    ),
    fc.string({ maxLength: 3 }),
  ),
  { maxLength: 12 },
);

describe("a_second_decode_changes_nothing", () => {
  test.prop([spelled], { numRuns: 2000 })("whatever is accepted", (parts) => {
    const result = read(`/${parts.join("")}`);
    if ("kind" in result) return;
    for (const segment of result.segments) {
      expect(segment).not.toMatch(/[/\\;\u0000-\u001F\u007F-\u009F\u2028\u2029]/);
      expect([".", ".."]).not.toContain(segment);
      let again: string | undefined;
      try {
        again = decodeURIComponent(segment);
      } catch {
        again = undefined;
      }
      // A stray `%` cannot be decoded again at all.
      expect([segment, undefined]).toContain(again);
    }
    expect(result.segments.slice(0, -1)).not.toContain("");
  });

  test.prop([spelled, fc.string()])("adding_a_query_never_moves_the_path", (parts, query) => {
    const path = `/${parts.join("").replaceAll("?", "")}`;
    const plain = read(path);
    const asked = read(`${path}?${query}`);
    if (!("kind" in plain) && !("kind" in asked)) expect(asked.segments).toEqual(plain.segments);
  });
});

/** All that stands for itself in a path, slashes and dots more often. */
const plainPath = fc
  .array(
    fc.oneof(
      fc.constantFrom("/", "/", ".", "..", "a", "orders"),
      fc.integer({ min: 33, max: 126 }).map((code) => String.fromCharCode(code)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => `/${parts.join("").replace(/[#%;\\?]/g, "")}`);

// What is encoded in it has the path read character by character.
test.prop([plainPath], { numRuns: 1000 })(
  "a_path_of_plain_characters_is_read_like_an_encoded_one",
  (path) => {
    const whole = `${path}a`;
    const encoded = outcome(read(`${path}%61`));
    const plain = outcome(read(whole));
    if (typeof plain === "string" || typeof encoded === "string") expect(plain).toBe(encoded);
    else expect([plain.path, plain.segments]).toEqual([whole, encoded.segments]);
  },
);

it("a character stands for itself, splits, or is refused", () => {
  for (let at = 0; at < 300; at += 1) {
    const character = String.fromCharCode(at);
    const fine = character === "?" || (at > 32 && at < 127 && !"#%;\\".includes(character));
    expect([at, code(`/a${character}b`)]).toEqual([at, fine ? "accepted" : "ambiguous-path"]);
  }
});
