/** A server as the conformance cases meet it: the guard, and a handler that answers what the case says. */
import { createServer as createHttp, type Server, type ServerOptions, type ServerResponse } from "node:http";
import { createServer as createHttp2, createSecureServer as createHttp2Secure } from "node:http2";
import { createServer as createHttps } from "node:https";
import type { AddressInfo } from "node:net";
import type { Server as NetServer } from "node:net";
import { createEngine } from "@gatehouse/core";
import { rawAnswer, type CaseAnswer, type SocketTarget, type TargetStart } from "@gatehouse/core/conformance";
import { guard, type HandlerContext } from "@gatehouse/node-http";

/** How a handler may write the same answer. */
export type Way = "end" | "send" | "pieces";

export function nodeHttpTarget(way: Way): SocketTarget {
  return {
    name: `node:http, answered by ${way}`,
    lacks: way === "send" ? [] : ["objects"],
    start: (options) => start(options, way),
  };
}

/** HTTP/2 alone, with and without TLS. */
export function http2Target(): SocketTarget {
  return {
    name: "node:http2",
    lacks: [],
    httpVersion: "2",
    start: (options) =>
      start(
        options,
        "send",
        () => createHttp2(),
        (server) => createHttp2Secure(server),
      ),
  };
}

type Make = (options: ServerOptions) => NetServer;

async function start(
  { policy, engineOptions, answer, tls }: TargetStart,
  way: Way,
  makePlain: Make = (server) => createHttp(server),
  makeSecure: Make = (server) => createHttps(server),
): Promise<{ port: number; tlsPort?: number; close(): Promise<void> }> {
  const engine = await createEngine(policy, engineOptions);
  const guarded = guard(engine, (_req, res, context) => write(res, context, answer(context.decision), way));
  const plain = guarded.attach(makePlain({ requireHostHeader: false }));
  const secure =
    tls === undefined ? undefined : guarded.attach(makeSecure({ ...tls, requireHostHeader: false }));
  const port = await listen(plain);
  const tlsPort = secure === undefined ? undefined : await listen(secure);
  return {
    port,
    ...(tlsPort === undefined ? {} : { tlsPort }),
    close: async () => {
      await Promise.all([stop(plain), ...(secure === undefined ? [] : [stop(secure)])]);
      await engine.close();
    },
  };
}

function write(res: ServerResponse, context: HandlerContext, answer: CaseAnswer, way: Way): void {
  if (answer.throws !== undefined) throw new Error(answer.throws);
  const { status, headers, body } = rawAnswer(answer);
  if (way === "send" && body !== undefined && typeof body !== "string") {
    context.send(body, { status, headers });
    return;
  }
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  res.writeHead(status, headers.flat());
  if (way === "pieces" && text !== undefined) {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += 7) res.write(bytes.subarray(at, at + 7));
    res.end();
  } else res.end(text);
}

export async function listen(server: NetServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

export async function stop(server: Server | NetServer): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  if ("closeAllConnections" in server) server.closeAllConnections();
  await closed;
}
