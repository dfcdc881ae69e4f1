import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createIdSource } from "./uuid.js";

const ones = (length: number): Uint8Array => new Uint8Array(length).fill(0xff);
const zeros = (length: number): Uint8Array => new Uint8Array(length);

describe("createIdSource", () => {
  it("lays out time, version, variant and random bits as RFC 9562 appendix A.6 does", () => {
    expect(createIdSource(ones)(0x017f22e279b0)).toBe("017f22e2-79b0-7fff-bfff-ffffffffffff");
    expect(createIdSource(zeros)(0x017f22e279b0)).toBe("017f22e2-79b0-7000-8000-000000000000");
  });

  it("cuts a fraction and survives a clock before the epoch", () => {
    expect(createIdSource(zeros)(1.9)).toBe("00000000-0001-7000-8000-000000000000");
    expect(createIdSource(zeros)(-5)).toBe("00000000-0000-7000-8000-000000000000");
  });

  it("tells instants apart, whatever came before", () => {
    const source = createIdSource(zeros);
    expect([1, 2, 2, 1, 2 ** 40 + 1, 1].map((now) => source(now).slice(0, 13))).toEqual([
      "00000000-0001",
      "00000000-0002",
      "00000000-0002",
      "00000000-0001",
      "01000000-0001",
      "00000000-0001",
    ]);
  });

  it("never uses a random byte twice", () => {
    let next = 0;
    const counting = (length: number): Uint8Array => Uint8Array.from({ length }, () => (next += 1) & 0xff);
    const source = createIdSource(counting);
    const ids = new Set(Array.from({ length: 1000 }, () => source(0)));
    // The counter repeats every 256 bytes, so every 128 ids of 10 bytes: fewer distinct ones would mean shared bytes.
    expect(ids.size).toBeGreaterThanOrEqual(128);
    expect(next).toBe(3 * 4096);
  });

  it("ids_hold_the_random_bytes_in_their_order", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4096, maxLength: 4096 }), fc.nat(408), (page, nth) => {
        const source = createIdSource(() => page);
        const id = Array.from({ length: nth + 1 }, () => source(0)).at(-1);
        const hex = Array.from(page.subarray(nth * 10, nth * 10 + 10), (byte, at) =>
          // Version and variant stand over the first bits of two of them.
          (at === 0 ? 0x70 | (byte & 0x0f) : at === 2 ? 0x80 | (byte & 0x3f) : byte)
            .toString(16)
            .padStart(2, "0"),
        ).join("");
        expect(id).toBe(`00000000-0000-${hex.slice(0, 4)}-${hex.slice(4, 8)}-${hex.slice(8)}`);
      }),
    );
  });

  it("ids_sort_by_time", () => {
    const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });
    fc.assert(
      fc.property(time, time, (a, b) => {
        const first = createIdSource(zeros)(a);
        const second = createIdSource(zeros)(b);
        return a === b ? first === second : a < b === first < second;
      }),
    );
  });
});
