import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Settlement } from "../model/state.js";
import { watchAnswer } from "./watch.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function eventsOf(chunks: readonly Uint8Array[]): unknown[] {
  const seen: unknown[] = [];
  const settlement: Settlement = { settle: () => undefined, sees: (event) => void seen.push(event) };
  const watch = watchAnswer([["Content-Type", "text/event-stream; charset=utf-8"]], [settlement]);
  for (const chunk of chunks) watch?.saw(chunk);
  return seen;
}

describe("watchAnswer", () => {
  it.each([
    ["LF", 'data: {"a":1}\n\ndata: {"a":2}\n\n'],
    ["CR LF", 'data: {"a":1}\r\n\r\ndata: {"a":2}\r\n\r\n'],
    ["CR", 'data: {"a":1}\r\rdata: {"a":2}\r\r\n'],
    [
      "other fields and comments",
      ': hi\nevent: x\nid: 7\ndata:{"a":1}\n\ndata: not json\n\ndata: {"a":\ndata: 2}\n\n',
    ],
  ])("reads events that end by %s", (_name, text) => {
    expect(eventsOf([bytes(text)])).toEqual([{ a: 1 }, { a: 2 }]);
  });

  it("chunks_never_matter", () => {
    const text = 'data: {"a":"é"}\r\n\r\ndata: {"b":\r\ndata: 2}\n\n: c\n\ndata: [3]\r\n\r\n';
    const whole = eventsOf([bytes(text)]);
    expect(whole).toEqual([{ a: "é" }, { b: 2 }, [3]]);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes(text).length), { maxLength: 12 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), bytes(text).length];
        const chunks = at.slice(1).map((end, index) => bytes(text).slice(at[index], end));
        expect(eventsOf(chunks)).toEqual(whole);
      }),
    );
  });

  it("an event that never ends is given up, and the next is read", () => {
    const long = bytes(`data: ${"x".repeat(1024 * 1024)}`);
    expect(eventsOf([long, long, bytes('\n\ndata: {"a":1}\n\n')])).toEqual([{ a: 1 }]);
  });

  it("collects JSON, up to a bound", () => {
    const watch = watchAnswer([["content-type", "application/problem+json"]], []);
    for (const part of ['{"usage"', ":{", '"total":5}}']) watch?.saw(bytes(part));
    expect(watch?.value()).toEqual({ usage: { total: 5 } });
    const large = watchAnswer([["Content-Type", "application/json"]], []);
    large?.saw(bytes(`"${"x".repeat(1024 * 1024)}`));
    large?.saw(bytes('"'));
    expect(large?.value()).toBeUndefined();
  });

  it("looks into nothing else", () => {
    expect(watchAnswer([["Content-Type", "text/plain"]], [])).toBeUndefined();
    expect(watchAnswer([], [])).toBeUndefined();
    expect(
      watchAnswer(
        [
          ["Content-Type", "application/json"],
          ["Content-Encoding", "gzip"],
        ],
        [],
      ),
    ).toBeUndefined();
  });
});
