import { expect, it } from "vitest";
import type { Command } from "./command.js";
import { readInput } from "./input.js";
import { mayColour } from "./io.js";

const command: Command = {
  name: "try",
  summary: "",
  usage: [""],
  operands: { least: 0, most: 1, what: "a FILE" },
  about: "",
  options: {
    header: { type: "text", short: "H", multiple: true, help: "" },
    method: { type: "text", short: "X", help: "" },
    quiet: { type: "flag", short: "q", help: "" },
  },
  examples: [],
  run: () => Promise.resolve(0),
};

it("reads long, short and inline values, in order", () => {
  const input = readInput(command, ["-H", "a: 1", "file", "--header=-b", "-qX", "PUT"]);
  expect(input.texts("header")).toEqual(["a: 1", "-b"]);
  expect(input.text("method")).toBe("PUT");
  expect(input.flag("quiet")).toBe(true);
  expect(input.operands).toEqual(["file"]);
});

it("takes everything behind -- for operands", () => {
  expect(readInput(command, ["--", "--method"]).operands).toEqual(["--method"]);
});

it("throws where a command reads an option that it does not have", () => {
  const input = readInput(command, []);
  expect(() => input.text("metod")).toThrow("no option `metod` of type text");
  expect(() => input.flag("method")).toThrow("no option `method` of type flag");
});

it("asks for the operands unless help is asked for", () => {
  expect(() => readInput(command, ["a", "b"])).toThrow("`try` takes only a FILE: `b` is one too many");
  expect(readInput(command, ["a", "b", "-h"]).flag("help")).toBe(true);
});

it("colours a terminal alone, and none with NO_COLOR", () => {
  expect(mayColour({ isTTY: true }, {})).toBe(true);
  expect(mayColour({ isTTY: true }, { NO_COLOR: "" })).toBe(true);
  expect(mayColour({ isTTY: true }, { NO_COLOR: "1" })).toBe(false);
  expect(mayColour({ isTTY: true }, { TERM: "dumb" })).toBe(false);
  expect(mayColour({}, {})).toBe(false);
});
