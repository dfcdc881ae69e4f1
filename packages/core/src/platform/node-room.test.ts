import * as fc from "fast-check";
import { expect, it } from "vitest";
import { beginningsOf } from "./node-room.js";

it("a_beginning_of_a_room_is_as_long_as_asked_and_shows_what_stands_there", () => {
  // Lengths that share a place among them.
  const length = fc.oneof(fc.nat(1024), fc.constantFrom(0, 3, 256, 259, 512, 515, 1024));
  fc.assert(
    fc.property(fc.array(fc.tuple(length, fc.nat(255)), { maxLength: 40 }), (asked) => {
      const room = Buffer.alloc(1024);
      const beginning = beginningsOf(room);
      for (const [bytes, written] of asked) {
        room.fill(written, 0, bytes);
        const view = beginning(bytes);
        expect([view.buffer, view.byteOffset]).toEqual([room.buffer, room.byteOffset]);
        expect(view.equals(Buffer.alloc(bytes, written))).toBe(true);
        expect(beginning(bytes)).toBe(view);
      }
    }),
    { numRuns: 100 },
  );
});
