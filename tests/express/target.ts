/** An express application as the conformance cases meet it: the guard, and a handler for everything that answers what the case says. */
import { createServer as createHttp } from "node:http";
import { createServer as createHttps } from "node:https";
import { Readable } from "node:stream";
import type { Request, Response } from "express";
import { createEngine } from "@gatehouse/core";
import { rawAnswer, type CaseAnswer, type SocketTarget, type TargetStart } from "@gatehouse/core/conformance";
import { gatehouse, ownServer } from "@gatehouse/express";
import { listen, stop } from "../node-http/target.js";
import type { Factory } from "./versions.js";

/** How a handler may write the same answer. */
export type Way = "json" | "send" | "end" | "pipe";

export function expressTarget(name: string, express: Factory, way: Way): SocketTarget {
  return {
    name: `${name}, answered by ${way}`,
    lacks: way === "json" ? [] : ["objects"],
    start: (options) => start(express, options, way),
  };
}

async function start(
  express: Factory,
  { policy, engineOptions, answer, tls }: TargetStart,
  way: Way,
): Promise<{ port: number; tlsPort?: number; close(): Promise<void> }> {
  const engine = await createEngine(policy, engineOptions);
  const app = express();
  app.disable("etag");
  // The cases are about the policy's own match: as express matches by default, some of their paths are one.
  app.enable("case sensitive routing");
  app.enable("strict routing");
  // The application has one handler for all: no inventory is due.
  app.use(gatehouse(engine, { inventory: "off" }));
  app.use((req: Request, res: Response) => {
    if (req.gatehouse === undefined) throw new Error("a request came past the guard");
    write(res, answer(req.gatehouse.decision), way);
  });
  const plain = ownServer(createHttp({ requireHostHeader: false }, app));
  const secure =
    tls === undefined ? undefined : ownServer(createHttps({ ...tls, requireHostHeader: false }, app));
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

function write(res: Response, answer: CaseAnswer, way: Way): void {
  if (answer.throws !== undefined) throw new Error(answer.throws);
  const { status, headers, body } = rawAnswer(answer);
  res.status(status);
  // As Node takes them: `res.set` would add a charset of its own.
  for (const [name, value] of headers) res.appendHeader(name, value);
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  if (way === "json" && typeof body !== "string" && body !== undefined) res.json(body);
  else if (way === "send" && text !== undefined && headers.length > 0) res.send(Buffer.from(text));
  else if (way === "pipe" && text !== undefined) Readable.from(pieces(text)).pipe(res);
  else res.end(text);
}

function pieces(text: string): Buffer[] {
  const bytes = Buffer.from(text);
  const list: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 7) list.push(bytes.subarray(at, at + 7));
  return list;
}
