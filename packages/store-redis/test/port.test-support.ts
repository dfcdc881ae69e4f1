/**
 * Ports that a test's server has for itself, also while it is killed. One that the system gives out is free for anybody the moment
 * its server is gone: for a test that listens on any port, and for the near end of any connection. So they are taken below those that
 * systems give out, and of two tests that would take the same one the second finds it reserved.
 */
import { once } from "node:events";
import { createServer, type Server } from "node:net";

/** Linux gives out ports from 32768, others from 49152. A cluster's bus listens 10000 above, where no other server of a test is. */
const FIRST = 10_000;
const COUNT = 10_000;
const BUS = 10_000;
const SERVERS = "127.0.0.1";
/**
 * Here nobody serves: who listens has reserved the number, until it lets go or its process ends. The first that the machine has: Linux has
 * all of 127.0.0.0/8, macOS its first address alone, and the one of IPv6.
 */
const GUARDS: readonly string[] = ["127.0.0.2", "::1"];

export class ReservedPort {
  private constructor(
    readonly number: number,
    private readonly guard: Server,
  ) {}

  /** @param from looked for from there on @param guards addresses, of which all who claim take the same */
  static async claim(
    from = FIRST + Math.floor(Math.random() * COUNT),
    guards = GUARDS,
  ): Promise<ReservedPort> {
    const host = await firstOf(guards);
    for (let tried = 0; tried < COUNT; tried++) {
      const number = FIRST + ((from - FIRST + tried) % COUNT);
      const guard = await listening(number, host);
      if (guard === undefined) continue;
      // The guard must not keep a process from ending.
      guard.unref();
      if ((await isFree(number)) && (await isFree(number + BUS))) return new ReservedPort(number, guard);
      await closed(guard);
    }
    throw new Error(`no port of ${FIRST} to ${FIRST + COUNT - 1} is free`);
  }

  free(): Promise<void> {
    return closed(this.guard);
  }
}

async function firstOf(guards: readonly string[]): Promise<string> {
  for (const host of guards) {
    try {
      const server = await listening(0, host);
      if (server !== undefined) await closed(server);
      return host;
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  throw new Error(
    `no port can be reserved: this machine has none of ${guards.join(", ")}; give it one, as \`ifconfig lo0 alias ${guards[0] ?? ""}\` does`,
  );
}

/** The machine has no such address, or nothing of its protocol. */
function isMissing(error: unknown): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    (error.code === "EADDRNOTAVAIL" || error.code === "EAFNOSUPPORT")
  );
}

async function listening(port: number, host: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  try {
    server.listen(port, host);
    await once(server, "listening");
    return server;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") return undefined;
    throw error;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = await listening(port, SERVERS);
  if (server !== undefined) await closed(server);
  return server !== undefined;
}

async function closed(server: Server): Promise<void> {
  await new Promise((done) => server.close(done));
}
