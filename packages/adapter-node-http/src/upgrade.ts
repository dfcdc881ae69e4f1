/** Upgrades: decided before the handshake, and refused with an HTTP answer written to the bare socket. */
import { STATUS_CODES, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Admission, BoundEngine, Decision, Exchange, HeaderField } from "@gatehouse/core";
import { HandlerContext } from "./context.js";
import type { GuardSettings, UpgradeHandler } from "./options.js";
import { readRequest } from "./request.js";

const NO_BODY = { bytes: new Uint8Array(), complete: true } as const;
const LINGER_MS = 2000;

interface Asked {
  readonly req: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly exchange: Exchange;
}

export async function passUpgrade(
  engine: BoundEngine,
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  settings: GuardSettings,
  onUpgrade: UpgradeHandler,
): Promise<void> {
  const exchange = engine.open(readRequest(req));
  const asked = { req, socket, head, exchange };
  let status = 0;
  // Node took its own listeners away: an error that nobody listens to would end the process.
  socket.on("error", () => socket.destroy());
  socket.once("close", () => exchange.end(status));
  try {
    const decision = await decide(exchange);
    if (socket.destroyed) return;
    if (decision.outcome !== "admit") {
      status = decision.status;
      const body = decision.outcome === "refuse" ? decision.body : "";
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
