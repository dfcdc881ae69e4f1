import { describe, expect, it } from "vitest";
import { isTimeZone, periodEnds, type CalendarUnit } from "./calendar.js";

const endOf = (unit: CalendarUnit, zone: string, at: string): string =>
  new Date(periodEnds(unit, zone)(Date.parse(at))).toISOString();

describe("calendar periods", () => {
  it.each<readonly [CalendarUnit, string, string, string, string]>([
    ["day", "UTC", "2026-06-01T12:00:00Z", "2026-06-02T00:00:00.000Z", "an ordinary day"],
    ["day", "UTC", "2026-06-01T00:00:00Z", "2026-06-02T00:00:00.000Z", "its first millisecond"],
    ["day", "UTC", "2026-06-01T23:59:59.999Z", "2026-06-02T00:00:00.000Z", "its last millisecond"],
    ["day", "Europe/Berlin", "2026-03-29T00:30:00Z", "2026-03-29T22:00:00.000Z", "a day of 23 hours"],
    ["day", "Europe/Berlin", "2026-10-24T23:00:00Z", "2026-10-25T23:00:00.000Z", "a day of 25 hours"],
    [
      "day",
      "Africa/Cairo",
      "2023-04-27T12:00:00Z",
      "2023-04-27T22:00:00.000Z",
      "a midnight that does not exist",
    ],
    [
      "day",
      "America/Sao_Paulo",
      "2018-02-17T12:00:00Z",
      "2018-02-18T03:00:00.000Z",
      "an hour before midnight that comes twice",
    ],
    ["day", "Pacific/Apia", "2011-12-29T12:00:00Z", "2011-12-30T10:00:00.000Z", "a date that was skipped"],
    ["month", "UTC", "2028-02-29T12:00:00Z", "2028-03-01T00:00:00.000Z", "a leap year's February"],
    ["month", "UTC", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00.000Z", "the end of a year"],
    [
      "month",
      "America/New_York",
      "2026-03-01T05:00:00Z",
      "2026-04-01T04:00:00.000Z",
      "a month that changes its clocks",
    ],
  ])("%s in %s at %s ends at %s: %s", (unit, zone, at, end) => {
    expect(endOf(unit, zone, at)).toBe(end);
  });

  it("follows a clock that goes on and one that is set back", () => {
    const end = periodEnds("day", "UTC");
    const noon = Date.UTC(2026, 5, 2, 12);
    const day = 86_400_000;
    expect([noon, noon + day, noon, noon - day].map((at) => end(at) - noon)).toEqual([
      day / 2,
      1.5 * day,
      day / 2,
      -day / 2,
    ]);
  });

  it("knows the zones of the IANA database and nothing else", () => {
    expect(["UTC", "Europe/Berlin", "Berlin", "+02:00", "", "day"].map(isTimeZone)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});
