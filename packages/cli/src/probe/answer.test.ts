/** Answers as they stand on the wire. */
import { expect, it } from "vitest";
import { jsonOf, readAnswer, valuesOf } from "./answer.js";

const read = (text: string, method = "GET", ended = false): ReturnType<typeof readAnswer> =>
  readAnswer(Buffer.from(text, "latin1"), method, ended);

it("keeps repeated fields apart, in order", () => {
  const { answer, complete } = read("HTTP/1.1 200 OK\r\nA: 1\r\na: 2\r\nContent-Length: 2\r\n\r\nok");
  expect(complete).toBe(true);
  expect(valuesOf(answer?.fields ?? [], "a")).toEqual(["1", "2"]);
  expect(Buffer.from(answer?.body ?? []).toString()).toBe("ok");
});

it("waits for what the length says, and takes what there is where the server ends", () => {
  expect(read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok").complete).toBe(false);
  expect(read("HTTP/1.1 200 OK\r\n\r\nok").complete).toBe(false);
  expect(read("HTTP/1.1 200 OK\r\n\r\nok", "GET", true)).toMatchObject({
    complete: true,
    answer: { status: 200 },
  });
  expect(read("HTTP/1.1 200 OK\r\nContent-Le")).toEqual({ answer: undefined, complete: false });
});

it("puts chunks together", () => {
  const { answer, complete } = read(
    'HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n',
  );
  expect(complete).toBe(true);
  expect(jsonOf(answer?.body ?? new Uint8Array())).toEqual({ a: 1 });
});

it("takes no chunk whose size is none: a negative one would be read for ever", () => {
  for (const size of ["-6", "+3", "0x3", "x", ""]) {
    const { answer, complete } = read(
      `HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n${size}\r\nabc\r\n0\r\n\r\n`,
    );
    expect([answer?.body.length, complete]).toEqual([0, false]);
  }
});

it("passes interim answers over, however many they are", () => {
  const many = "HTTP/1.1 103\r\n\r\n".repeat(50_000);
  expect(read(`${many}HTTP/1.1 204\r\n\r\n`, "GET", true).answer?.status).toBe(204);
});

it("passes interim answers over, and ends with 101", () => {
  expect(
    read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", "GET", true).answer?.status,
  ).toBe(204);
  expect(read("HTTP/1.1 101 Switching Protocols\r\n\r\n")).toMatchObject({
    complete: true,
    answer: { status: 101 },
  });
});

it("counts what stands behind answers that have no content", () => {
  expect(read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HEAD", true).answer?.surplus).toBe(2);
  expect(read("HTTP/1.1 304 Not Modified\r\n\r\nx", "GET", true).answer?.surplus).toBe(1);
  expect(read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "HEAD", true).answer?.surplus).toBe(0);
});

it("takes nothing else for an answer", () => {
  for (const text of ["SSH-2.0-x\r\n\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", ""])
    expect(read(text, "GET", true).answer).toBeUndefined();
});
