import { expect, it } from "vitest";
import { imfFixdate, parseInstant } from "./http-date.js";

it("reads days and instants in UTC", () => {
  expect(parseInstant("2026-06-01")).toBe(Date.UTC(2026, 5, 1));
  expect(parseInstant("2026-06-01T12:30:15Z")).toBe(Date.UTC(2026, 5, 1, 12, 30, 15));
  expect(parseInstant("2026-06-01T12:30:15.250Z")).toBe(Date.UTC(2026, 5, 1, 12, 30, 15, 250));
  expect(parseInstant("2024-02-29")).toBe(Date.UTC(2024, 1, 29));
});

it.each([
  "",
  "2026",
  "2026-6-1",
  "2026-02-30",
  "2026-02-29",
  "2026-13-01",
  "2026-06-01T25:00:00Z",
  "2026-06-01T24:00:00Z",
  "2026-06-01T12:00:00",
  "2026-06-01T12:00:00+02:00",
  "1 June 2026",
  " 2026-06-01",
])("reads no date in %j", (text) => {
  expect(parseInstant(text)).toBeUndefined();
});

it("writes IMF-fixdate", () => {
  expect(imfFixdate(Date.UTC(1994, 10, 6, 8, 49, 37))).toBe("Sun, 06 Nov 1994 08:49:37 GMT");
});
