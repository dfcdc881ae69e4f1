import { STATUS_CODES } from "node:http";
import { expect, it } from "vitest";
import { ERRORS } from "../errors/codes.js";
import { phraseOf } from "./status-phrase.js";

/** RFC 9110 renamed these; the server's own table keeps the old names. */
const RENAMED: Readonly<Record<number, string>> = { 413: "Content Too Large", 422: "Unprocessable Content" };

it("has the registered phrase of every status that the engine answers with", () => {
  for (const { status } of Object.values(ERRORS)) {
    expect(phraseOf(status)).toBe(RENAMED[status] ?? STATUS_CODES[status]);
  }
});

it("has the phrase of the class for any other", () => {
  expect([phraseOf(499), phraseOf(599)]).toEqual(["Bad Request", "Internal Server Error"]);
});
