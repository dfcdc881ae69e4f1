/** Writes that are held together: always let go, each as often as it was held. */
import { expect, it } from "vitest";
import { Corks, TOGETHER, type Corkable } from "./cork.js";
import { ioredisDriver } from "./ioredis.js";

class Held implements Corkable {
  said = "";
  cork(): void {
    this.said += "(";
  }
  uncork(): void {
    this.said += ")";
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it("a socket is held once a turn, and let go before the process waits", async () => {
  const corks = new Corks();
  const socket = new Held();
  corks.hold(socket);
  await Promise.resolve();
  corks.hold(socket);
  expect(socket.said).toBe("(");
  await new Promise((resolve) => process.nextTick(resolve));
  expect(socket.said).toBe("()");
  corks.hold(socket);
  await turn();
  expect(socket.said).toBe("()()");
});

it("of many commands so many leave together, and the rest with the turn", async () => {
  const corks = new Corks();
  const socket = new Held();
  for (let sent = 0; sent < 2 * TOGETHER; sent++) corks.hold(socket);
  expect(socket.said).toBe("()(");
  corks.hold(socket);
  expect(socket.said).toBe("()()(");
  await turn();
  expect(socket.said).toBe("()()()");
});

it("sockets of several nodes, and one that takes the place of another, are let go each", async () => {
  const corks = new Corks();
  const sockets = [new Held(), new Held(), new Held()];
  for (const socket of [...sockets, ...sockets]) corks.hold(socket);
  await turn();
  expect(sockets.map(({ said }) => said)).toEqual(["()", "()", "()"]);
});

it.each([[undefined], [null], ["socket"], [{}], [{ cork: () => undefined }], [{ uncork: () => undefined }]])(
  "what cannot be held is left alone: %o",
  (socket) => {
    expect(() => new Corks().hold(socket)).not.toThrow();
  },
);

it("a call that the client throws at leaves nothing held", async () => {
  const stream = new Held();
  const client = {
    status: "ready",
    stream,
    evalsha: () => {
      throw new Error("no");
    },
    eval: () => {
      throw new Error("no");
    },
    on: () => undefined,
    disconnect: () => undefined,
    defineCommand: () => undefined,
    duplicate: () => client,
  };
  const connection = ioredisDriver(client).open();
  expect(() => connection.evalsha("sha1", ["k"], [])).toThrow("no");
  await turn();
  expect(stream.said).toBe("()");
  expect(() => connection.eval("return 1", ["k"], [])).toThrow("no");
  await turn();
  expect(stream.said).toBe("()()");
});
