/** A busy process is no slow server. */
import { connect, createServer, type Socket } from "node:net";
import { once } from "node:events";
import { expect, it } from "vitest";
import { StoreError } from "@gatehouse/core";
import { withDeadline } from "./deadline.js";
import { storeErrorOf } from "./faults.js";

function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

async function echo(): Promise<{
  readonly ask: () => Promise<unknown>;
  readonly socket: Socket;
  readonly close: () => void;
}> {
  const server = createServer((socket) => void socket.pipe(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  const socket = connect(address.port, "127.0.0.1");
  await once(socket, "connect");
  const ask = (): Promise<unknown> => {
    const answer = once(socket, "data");
    socket.write("x");
    return answer;
  };
  return {
    ask,
    socket,
    close: () => {
      socket.destroy();
      server.close();
    },
  };
}

const late: unknown[] = [];
const wait = (answer: Promise<unknown>, ms: number): Promise<unknown> =>
  withDeadline(
    answer,
    ms,
    (reply) => reply,
    storeErrorOf,
    (reply) => void late.push(reply),
  );

it("an answer that is in the socket already wins over the time that ran out meanwhile", async () => {
  const { ask, close } = await echo();
  for (let n = 0; n < 10; n++) {
    const asked = wait(ask(), 10);
    // The other end is in this process, too: it needs a turn to answer before the process is busy.
    await new Promise((resolve) => setTimeout(resolve, 2));
    block(25);
    await expect(asked).resolves.toBeDefined();
  }
  close();
});

it("a question that could not leave before the process was busy is given the time to be answered", async () => {
  const { ask, socket, close } = await echo();
  for (let n = 0; n < 10; n++) {
    socket.cork();
    process.nextTick(() => socket.uncork());
    const asked = wait(ask(), 10);
    block(25);
    await expect(asked).resolves.toBeDefined();
  }
  close();
});

it("silence is told in time, and what comes after it is handed on", async () => {
  let answer: (reply: string) => void = () => undefined;
  const asked = wait(new Promise((resolve) => void (answer = resolve)), 5);
  await expect(asked).rejects.toEqual(new StoreError("timeout", true, "the server did not answer in time"));
  answer("too late");
  await new Promise((resolve) => setImmediate(resolve));
  expect(late).toEqual(["too late"]);
});

it("an answer that cannot be read is an error, as one that came as an error", async () => {
  const unread = withDeadline(
    Promise.resolve(1),
    50,
    () => {
      throw new StoreError("protocol", true, "unread");
    },
    storeErrorOf,
    () => undefined,
  );
  await expect(unread).rejects.toMatchObject({ code: "protocol" });
  await expect(wait(Promise.reject(new Error("LOADING Redis is loading")), 50)).rejects.toMatchObject({
    code: "not-ready",
  });
});

it("an error that comes late is heard by nobody, and ends no process", async () => {
  let fail: (error: Error) => void = () => undefined;
  const asked = wait(new Promise((_resolve, reject) => void (fail = reject)), 5);
  await expect(asked).rejects.toMatchObject({ code: "timeout" });
  fail(new Error("late"));
  await new Promise((resolve) => setImmediate(resolve));
});
