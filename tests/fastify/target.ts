/** A fastify application as the conformance cases meet it: one catch-all route, which answers what the case says. */
import { Readable } from "node:stream";
import { createEngine } from "@gatehouse/core";
import { rawAnswer, type CaseAnswer, type SocketTarget, type TargetStart } from "@gatehouse/core/conformance";
import { gatehouse } from "@gatehouse/fastify";
import Fastify, { type FastifyInstance, type FastifyReply } from "fastify";

/** How a handler may write the same answer. */
export type Way = "object" | "returned" | "string" | "buffer" | "stream" | "raw";

export function fastifyTarget(way: Way): SocketTarget {
  return {
    name: `fastify, answered by ${way}`,
    lacks: way === "object" || way === "returned" ? [] : ["objects"],
    start: (options) => start(options, way),
  };
}

/** The policy judges Host, so that Node does not answer without it. */
export const HTTP = { requireHostHeader: false } as const;

export function portOf(app: { readonly server: { address(): unknown } }): number {
  return (app.server.address() as { readonly port: number }).port;
}

async function start(
  { policy, engineOptions, answer, tls }: TargetStart,
  way: Way,
): Promise<{ port: number; tlsPort?: number; close(): Promise<void> }> {
  const engine = await createEngine(policy, engineOptions);
  const apps: FastifyInstance[] = [];
  const open = async (options: object): Promise<number> => {
    const app = Fastify(options) as unknown as FastifyInstance;
    apps.push(app);
    void app.register(gatehouse, { engine, inventory: "off", onUpgrade: (_req, socket) => socket.destroy() });
    // What no policy of a case reads may be of any type, and methods of no standard have to be made known.
    app.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
    app.addHttpMethod("PURGE");
    app.all("/*", (request, reply) => write(reply, answer(request.gatehouse.decision), way));
    await app.listen({ port: 0, host: "127.0.0.1" });
    return portOf(app);
  };
  const port = await open({ http: HTTP });
  const tlsPort = tls === undefined ? undefined : await open({ https: { ...tls, ...HTTP } });
  return {
    port,
    ...(tlsPort === undefined ? {} : { tlsPort }),
    close: async () => {
      for (const app of apps) {
        app.server.closeAllConnections();
        await app.close();
      }
      await engine.close();
    },
  };
}

function write(reply: FastifyReply, answer: CaseAnswer, way: Way): unknown {
  if (answer.throws !== undefined) throw new Error(answer.throws);
  const { status, headers, body } = rawAnswer(answer);
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  if (way === "raw") {
    reply.hijack();
    reply.raw.writeHead(status, headers.flat());
    reply.raw.end(text);
    return undefined;
  }
  reply.code(status);
  const values = new Map<string, string[]>();
  for (const [name, value] of headers) values.set(name, [...(values.get(name) ?? []), value]);
  for (const [name, all] of values) void reply.header(name, all.length === 1 ? all[0] : all);
  if (text === undefined) return reply.send();
  if (way === "string") return reply.send(text);
  if (way === "buffer") return reply.send(Buffer.from(text));
  if (way === "stream")
    return reply.send(Readable.from([...Buffer.from(text)].map((byte) => Buffer.of(byte))));
  return way === "returned" && body !== null ? body : reply.send(body);
}
