/** A way to the server that can go silent, or lose answers, and keeps what was sent. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

export class Proxy {
  /** All that went to the server, as text. */
  sent = "";
  #silent = false;
  #answers: "pass" | "drop" | "cut" = "pass";
  readonly #sockets = new Set<Socket>();
  /** Connections that were cut while nobody was told: they stay dead when the way is free again. */
  readonly #dead = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
    private target: number,
  ) {}

  static async start(target: number): Promise<Proxy> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("no port");
    const proxy = new Proxy(server, address.port, target);
    server.on("connection", (socket) => proxy.#join(socket));
    return proxy;
  }

  /** What is sent arrives; of what the server says to it nothing comes back, or the connection ends in its place. */
  lose(answers: "drop" | "cut"): void {
    this.#answers = answers;
  }

  /** Both sides stay connected, and nothing goes through. */
  swallow(): void {
    this.#silent = true;
    for (const socket of this.#sockets) this.#dead.add(socket);
  }

  /** Who connects from now on meets another server; who is connected stays with the first. */
  lead(target: number): void {
    this.target = target;
  }

  heal(): void {
    this.#silent = false;
    this.#answers = "pass";
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((done) => this.server.close(done));
  }

  #join(near: Socket): void {
    const far = connect(this.target, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      if (this.#silent) this.#dead.add(from);
      from.on("data", (chunk) => {
        if (this.#dead.has(from)) return;
        if (from === near) this.sent += chunk.toString("latin1");
        else if (this.#answers === "cut") near.destroy();
        if (from === near || this.#answers === "pass") to.write(chunk);
      });
      from.on("error", () => undefined);
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }
}
