/**
 * What else listens on a server. Node hands some requests to events that a request listener never sees (`upgrade`, `connect`,
 * `checkContinue`): a listener there, or a second one for `request`, answers what no policy has decided.
 */
import type { EventEmitter } from "node:events";

const GUARDED = ["request", "upgrade", "connect", "checkContinue", "checkExpectation", "stream"] as const;
const LENIENT_FLAG = "--insecure-http-parser";

export type Owned = ReadonlyMap<string, unknown>;

/** Listeners that some guard made: what they let through was decided, whichever guard it was. Never one of `request`. */
const GUARDS = new WeakSet<object>();

/** Marks a listener that decides before it lets anything through, so that it may stand beside a guard. */
export function markGuard<Listener extends object>(listener: Listener): Listener {
  GUARDS.add(listener);
  return listener;
}

/**
 * Why a server cannot be guarded; undefined when it can.
 * @param owned the guard's own listener of each event; `request` may have one wrapper where the guard was not attached
 */
export function problemOf(server: EventEmitter, owned: Owned, attached: boolean): string | undefined {
  if ((server as { insecureHTTPParser?: unknown }).insecureHTTPParser === true || isLenientProcess()) {
    return "the server parses requests leniently (`insecureHTTPParser`): two readers may see two requests; leave the option out";
  }
  for (const event of GUARDED) {
    const strangers = server.listeners(event).filter((one) => isStranger(event, one, owned)).length;
    if (strangers > allowedAt(event, server, owned, attached)) return strangerAt(event);
  }
  return undefined;
}

/**
 * From now on a stranger's listener is refused where it is added, with its own stack trace.
 * @param open events that stay open to everybody
 */
export function refuseStrangers(server: EventEmitter, owned: Owned, open: readonly string[] = []): void {
  const closed: readonly unknown[] = GUARDED.filter((event) => !open.includes(event));
  server.on("newListener", (event: string | symbol, listener: unknown) => {
    if (typeof event !== "string" || !closed.includes(event)) return;
    if (isStranger(event, listener, owned)) throw new Error(strangerAt(event));
  });
}

/** Two guards of one event would both answer, so another's is welcome only where there is no own one. */
function isStranger(event: string, listener: unknown, owned: Owned): boolean {
  const own = owned.get(event);
  if (own !== undefined) return listener !== own;
  return !GUARDS.has(listener as object);
}

function allowedAt(event: string, server: EventEmitter, owned: Owned, attached: boolean): number {
  if (event === "request") return attached ? 0 : 1 - ownCount(server, owned);
  // HTTP/2's compatibility API turns streams into requests by a listener of its own.
  return event === "stream" && server.listenerCount("request") > 0 ? 1 : 0;
}

function ownCount(server: EventEmitter, owned: Owned): number {
  return server.listeners("request").includes(owned.get("request") as () => void) ? 1 : 0;
}

function strangerAt(event: string): string {
  const mend =
    event === "upgrade"
      ? "wrap it in `guardUpgrade(engine, …)`, or hand it to the guard as `onUpgrade` and call `attach(server)`"
      : event === "request"
        ? "let the guard's handler call it"
        : "remove it, and let `guard(…).attach(server)` own the event";
  return `a listener for \`${event}\` on this server would answer requests that no policy has decided; ${mend}`;
}

function isLenientProcess(): boolean {
  return (
    process.execArgv.includes(LENIENT_FLAG) ||
    (process.env["NODE_OPTIONS"] ?? "").split(" ").includes(LENIENT_FLAG)
  );
}
