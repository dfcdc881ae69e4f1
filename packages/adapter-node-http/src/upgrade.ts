/** Upgrades: decided before the handshake, and refused with an HTTP answer written to the bare socket. */
import { STATUS_CODES, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Admission, BoundEngine, Decision, Engine, Exchange, HeaderField } from "@gatehouse/core";
import { HandlerContext } from "./context.js";
import { isClosing } from "./decision.js";
import { requireFunction, upgradeSettingsOf, type UpgradeHandler, type UpgradeOptions } from "./options.js";
import type { PassageSettings } from "./passage.js";
import { readRequest } from "./request.js";
import { markGuard } from "./servers.js";
import { MATCHING } from "./types.js";

const NO_BODY = { bytes: new Uint8Array(), complete: true } as const;
const LINGER_MS = 2000;
/** A socket has one policy: a second guard of the same server would answer on it too. */
const DECIDED = new WeakSet<Duplex>();

/** For the `upgrade` event of a Node server, whoever made it. */
export type UpgradeListener = (req: IncomingMessage, socket: Duplex, head: Buffer) => void;

/**
 * Guards the upgrades of any Node server: `server.on("upgrade", guardUpgrade(engine, onUpgrade))`. Each is decided before the handshake;
 * one that is refused gets its HTTP answer on the bare socket, and `onUpgrade` never sees it.
 * @param engine bound to a framework's matching, or not: then paths are matched as node:http does, by the policy alone
 */
export function guardUpgrade(
  engine: Engine | BoundEngine,
  onUpgrade: UpgradeHandler,
  options: UpgradeOptions = {},
): UpgradeListener {
  requireFunction("onUpgrade", onUpgrade);
  const bound = "bind" in engine ? engine.bind(MATCHING) : engine;
  return upgradeListener(bound, onUpgrade, upgradeSettingsOf(options));
}

export function upgradeListener(
  engine: BoundEngine,
  onUpgrade: UpgradeHandler,
  settings: Pick<PassageSettings, "onError">,
): UpgradeListener {
  return markGuard((req: IncomingMessage, socket: Duplex, head: Buffer): void => {
    // Node took its own listeners away: an error that nobody listens to would end the process.
    socket.on("error", () => socket.destroy());
    if (isClosing(req)) return;
    if (DECIDED.has(socket)) {
      settings.onError(new Error("an upgrade that a guard has decided was handed to a guard again"));
      socket.destroy();
      return;
    }
    DECIDED.add(socket);
    void passUpgrade(engine, req, socket, head, settings, onUpgrade);
  });
}

interface Asked {
  readonly req: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly exchange: Exchange;
}

async function passUpgrade(
  engine: BoundEngine,
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  settings: Pick<PassageSettings, "onError">,
  onUpgrade: UpgradeHandler,
): Promise<void> {
  const exchange = engine.open(readRequest(req));
  const asked = { req, socket, head, exchange };
  let status = 0;
  socket.once("close", () => exchange.end(status));
  try {
    const decision = await decide(exchange);
    if (socket.destroyed) return;
    if (decision.outcome !== "admit") {
      status = decision.status;
      const body = req.method === "HEAD" ? "" : (decision.body ?? "");
      answer(socket, status, decision.responseHeaders, body);
      exchange.end(status);
      return;
    }
    status = 101;
    await hand(asked, decision, onUpgrade);
  } catch (error) {
    settings.onError(error);
    status = 500;
    answer(socket, status, [["Content-Length", "0"]], "");
  }
}

async function decide(exchange: Exchange): Promise<Decision> {
  const head = await exchange.head();
  return head.outcome === "continue" ? exchange.body(NO_BODY) : head;
}

/** The exchange lasts as long as the connection: a slot of a concurrency limit is held until it closes. */
async function hand(asked: Asked, decision: Admission, onUpgrade: UpgradeHandler): Promise<void> {
  const { req, socket, head, exchange } = asked;
  try {
    await onUpgrade(req, socket, head, new HandlerContext(undefined, exchange, decision));
  } catch (error) {
    exchange.fail(error);
    socket.destroy();
  }
}

function answer(
  socket: Duplex,
  status: number,
  fields: readonly HeaderField[],
  body: string | Uint8Array,
): void {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}`];
  for (const [name, value] of fields) {
    if (name.toLowerCase() !== "connection") lines.push(`${name}: ${value}`);
  }
  lines.push("Connection: close", "", "");
  socket.write(lines.join("\r\n"), "latin1");
  socket.end(body);
  // Closing under a client that still writes would destroy the answer on its way.
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
  socket.once("close", () => clearTimeout(timer));
}
