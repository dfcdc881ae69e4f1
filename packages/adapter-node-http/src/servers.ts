/**
 * What else listens on a server. Node hands some requests to events that a request listener never sees (`upgrade`, `connect`,
 * `checkContinue`): a listener there, or a second one for `request`, answers what no policy has decided.
 */
import type { EventEmitter } from "node:events";

const GUARDED = ["request", "upgrade", "connect", "checkContinue", "checkExpectation", "stream"] as const;
const LENIENT_FLAG = "--insecure-http-parser";

export type Owned = ReadonlyMap<string, unknown>;

/**
 * Why a server cannot be guarded; undefined when it can.
 * @param owned the guard's own listener of each event; `request` may have one wrapper where the guard was not attached
 */
export function problemOf(server: EventEmitter, owned: Owned, attached: boolean): string | undefined {
  if ((server as { insecureHTTPParser?: unknown }).insecureHTTPParser === true || isLenientProcess()) {
    return "the server parses requests leniently (`insecureHTTPParser`): two readers may see two requests; leave the option out";
  }
  for (const event of GUARDED) {
    const strangers = server.listeners(event).filter((listener) => listener !== owned.get(event)).length;
    if (strangers > allowedAt(event, server, owned, attached)) return strangerAt(event);
  }
  return undefined;
}

/** From now on a stranger's listener is refused where it is added, with its own stack trace. */
export function refuseStrangers(server: EventEmitter, owned: Owned): void {
  server.on("newListener", (event: string | symbol, listener: unknown) => {
    if (typeof event !== "string" || !(GUARDED as readonly string[]).includes(event)) return;
    if (owned.get(event) !== listener) throw new Error(strangerAt(event));
  });
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
      ? "hand it to the guard as `onUpgrade` and call `attach(server)`"
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
