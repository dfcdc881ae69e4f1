// Servers in processes of their own, with connections to them.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { openLoad } from "./load.mjs";

const program = fileURLToPath(new URL("../servers/process.mjs", import.meta.url));
const CONNECTIONS = 16;
/**
 * Megabytes of V8's young generation, from the start. It grows to that where a server is busy and shrinks where it waits, and here each
 * waits for the others' turns: who was started first collected at every 1.9 MB, and who was started last at every 6.7.
 */
const YOUNG = "--min-semi-space-size=16";

/**
 * @param together all in one process, which is quick to start and measures nothing; else each is alone in its own
 * @param flags of those processes' Node
 */
export function serverPark({ together = false, flags = [] }) {
  const shared = together ? startProcess(flags) : undefined;
  return {
    start: async (options) => {
      const host = shared ?? startProcess(flags);
      const { port } = await host.ask(options);
      const load = await openLoad(port, CONNECTIONS);
      return {
        port,
        burst: (work, count) => burst(host, load, work, count),
        stop: async () => {
          load.close();
          if (shared === undefined) await host.stop();
        },
      };
    },
    close: async () => shared?.stop(),
  };
}

function startProcess(flags) {
  const child = fork(program, [], { execArgv: [YOUNG, ...flags] });
  const died = once(child, "exit").then(() => Promise.reject(new Error("a server's process died")));
  died.catch(() => undefined);
  return {
    ask: async (question) => {
      child.send(question);
      const [answer] = await Promise.race([once(child, "message"), died]);
      return answer;
    },
    stop: async () => {
      const gone = once(child, "exit");
      child.disconnect();
      await gone;
    },
  };
}

/** @returns microseconds of the server's processor for each request, requests a second, two waits in milliseconds */
async function burst(host, load, { requests, status }, count) {
  const before = await host.ask("usage");
  const { seconds, took } = await load.run(requests, count, status);
  const after = await host.ask("usage");
  const spent = ({ cpu }) => cpu.user + cpu.system;
  return {
    cpu: (spent(after) - spent(before)) / count,
    perSecond: count / seconds,
    p50: took[Math.floor(took.length * 0.5)],
    p99: took[Math.floor(took.length * 0.99)],
    rss: after.rss,
  };
}
