import * as fc from "fast-check";
import { expect, it } from "vitest";
import { RoomyList } from "./roomy-list.js";

it("copies_are_the_list_and_as_many_places_as_were_asked_for", () => {
  fc.assert(
    fc.property(fc.array(fc.nat()), fc.array(fc.nat(20), { minLength: 1, maxLength: 5 }), (list, asked) => {
      const before = [...list];
      const roomy = new RoomyList(list, -1);
      for (const more of asked) {
        const copy = roomy.copy(more);
        expect(copy).toEqual([...before, ...Array<number>(more).fill(-1)]);
        // What is done to one is not seen in the next.
        copy.fill(7);
        copy.push(8);
      }
      expect([list, roomy.length]).toEqual([before, before.length]);
    }),
  );
});
