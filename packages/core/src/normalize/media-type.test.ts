import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isJsonType, mediaTypeMatcher, readMediaType } from "./media-type.js";

describe("B7.111: one reading of Content-Type, or none", () => {
  it.each([
    ["application/json", "application/json"],
    ["Application/JSON", "application/json"],
    ["application/json;charset=utf-8", "application/json"],
    ["application/json ; charset=utf-8", "application/json"],
    ["application/json\t;\tcharset=utf-8", "application/json"],
    ['application/json; charset="UTF-8"', "application/json"],
    ['application/json; charset="u\\tf-8"', "application/json"],
    ["application/json;", "application/json"],
    ["application/json; ;charset=utf-8;", "application/json"],
    ["application/json; charset=utf-8 ; v=1", "application/json"],
    ['text/csv; header="a;b,\\"c"', "text/csv"],
    ["application/vnd.a+json", "application/vnd.a+json"],
    ["a/b; charsets=latin1", "a/b"],
  ])("%j is %s", (value, essence) => {
    expect(readMediaType(value)).toBe(essence);
  });

  it.each([
    ["nothing", undefined],
    ["an empty value", ""],
    ["blanks", " "],
    ["a leading blank", " application/json"],
    ["a trailing tab", "application/json\t"],
    ["a tab and a letter", "application/json\ta"],
    ["two types", "application/json, text/html"],
    ["a comma at the end", "application/json,"],
    ["a type without a subtype", "application"],
    ["an empty subtype", "application/"],
    ["an empty type", "/json"],
    ["a second slash", "application/json/x"],
    ["a name without a value", "application/json; charset"],
    ["an empty value of a parameter", "application/json; charset="],
    ["an empty name of a parameter", "application/json; =utf-8"],
    ["a blank around the equals sign", "application/json; charset =utf-8"],
    ["an open quote", 'application/json; charset="utf-8'],
    ["an escape at the end", 'application/json; charset="utf-8\\'],
    ["letters behind a quote", 'application/json; charset="utf-8"x'],
    ["a parameter twice", "application/json; a=1; A=1"],
    ["two charsets that agree", "application/json; charset=utf-8; charset=utf-8"],
    ["a control character", 'application/json; a="\u0001"'],
    ["letters beyond ASCII", "application/jsön"],
  ])("%s is no media type", (_name, value) => {
    expect(readMediaType(value)).toBeUndefined();
  });

  it.each(["utf-16", "utf-16le", "utf-7", "iso-8859-1", "utf8", '"utf-16"', "us-ascii"])(
    "B7.116: the charset %s is refused",
    (charset) => {
      expect(readMediaType(`application/json; charset=${charset}`)).toBeUndefined();
    },
  );

  it("no_text_makes_it_throw_and_an_essence_is_two_tokens", () => {
    const parts = fc.array(
      fc.constantFrom("a", "/", ";", "=", '"', "\\", " ", "\t", ",", "charset", "utf-8", "\u0000"),
      {
        maxLength: 12,
      },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          parts.map((all) => all.join("")),
        ),
        (value) => {
          const essence = readMediaType(value);
          if (essence !== undefined)
            expect(essence).toMatch(/^[a-z0-9!#$%&'*+\-.^_`|~]+\/[a-z0-9!#$%&'*+\-.^_`|~]+$/);
        },
      ),
    );
  });
});

describe("accepted types", () => {
  it("are exact, ranges, or suffixes", () => {
    const matches = mediaTypeMatcher(["application/json", "image/*", "+json"]);
    const accepted = ["application/json", "image/png", "application/problem+json"];
    const refused = [
      "application/json5",
      "image",
      "imagex/png",
      "application/+json",
      "text/json",
      "application/x+jsonp",
    ];
    expect(accepted.filter((type) => !matches(type))).toEqual([]);
    expect(refused.filter(matches)).toEqual([]);
  });

  it("only JSON can be read by the engine", () => {
    const types = ["application/json", "+json", "application/a+json", "application/*", "text/plain", "+xml"];
    expect(types.filter(isJsonType)).toEqual(["application/json", "+json", "application/a+json"]);
  });
});
