import fc from "fast-check";
import { expect, it } from "vitest";
import { utf8 } from "../../lib/bytes.js";
import { JsonBytes } from "../../lib/json-bytes.js";
import { textWritten } from "../../lib/written.test-support.js";
import { platform } from "../../platform/node.js";
import { ScanOutput } from "./scan-output.js";

/** Lengths of what is copied, or texts. */
const pieces = fc.array(
  fc.oneof(
    fc.nat(20),
    fc.constantFrom(511, 512, 513, 1_000),
    fc.constantFrom("", '"***"', "null", '"é😀"', `"${"x".repeat(600)}"`),
    fc.string({ unit: "binary", maxLength: 20 }).map((text) => JSON.stringify(text)),
  ),
  { maxLength: 60 },
);

it("puts_together_what_was_copied_and_written", () => {
  fc.assert(
    fc.property(pieces, fc.constantFrom(1_000, 15_000, 20_000), (all, size) => {
      const text = JsonBytes.of(Array.from({ length: size }, (_, index) => "0123456789"[index % 7]).join(""));
      const output = new ScanOutput(text);
      const expected: Uint8Array[] = [];
      for (const [index, piece] of all.entries()) {
        if (typeof piece === "string") {
          output.write(piece);
          expected.push(Buffer.from(piece));
        } else {
          const from = (index * 37) % (size - 1_000 + 1);
          output.copy(from, from + piece);
          expected.push(text.bytes.slice(from, from + piece));
        }
      }
      const asText = output.taken(platform.textOfAscii);
      expect(textWritten(asText)).toBe(Buffer.concat(expected).toString());
      const taken = output.taken(undefined) as Uint8Array;
      expect(Buffer.compare(taken, Buffer.concat(expected))).toBe(0);
      // Whoever has it does not see what did not leave, or is about to leave for another.
      const behind = new Uint8Array(taken.buffer, taken.byteOffset + taken.byteLength);
      expect(behind.every((byte) => byte === 0)).toBe(true);
      new ScanOutput(text).copy(0, size);
      expect(Buffer.compare(taken, Buffer.concat(expected))).toBe(0);
    }),
    { numRuns: 300 },
  );
});

it("does not take bytes that nobody has looked at for ASCII", () => {
  const text = JsonBytes.of(utf8('"\u00e9"'));
  const output = new ScanOutput(text);
  output.copy(0, text.length);
  expect(textWritten(output.taken(platform.textOfAscii))).toBe('"\u00e9"');
});
