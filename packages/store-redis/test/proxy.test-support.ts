/** A way to the server that can go silent: both sides stay connected, and nothing goes through. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

export class Proxy {
  #silent = false;
  readonly #sockets = new Set<Socket>();
  /** Connections that were cut while nobody was told: they stay dead when the way is free again. */
  readonly #dead = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async start(target: number): Promise<Proxy> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("no port");
    const proxy = new Proxy(server, address.port);
    server.on("connection", (socket) => proxy.#join(socket, target));
    return proxy;
  }

  swallow(): void {
    this.#silent = true;
    for (const socket of this.#sockets) this.#dead.add(socket);
  }

  heal(): void {
    this.#silent = false;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((done) => this.server.close(done));
  }

  #join(near: Socket, target: number): void {
    const far = connect(target, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      if (this.#silent) this.#dead.add(from);
      from.on("data", (chunk) => {
        if (!this.#dead.has(from)) to.write(chunk);
      });
      from.on("error", () => undefined);
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }
}
