/** What a handler of fastify is to the suites of behaviours, with the plugin first. */
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import compress from "@fastify/compress";
import Fastify, { type FastifyReply, type FastifyRequest } from "fastify";
import { gatehouse } from "@gatehouse/fastify";
import type { StartServer, Turn } from "../servers/suite.js";
import { HTTP, portOf } from "./target.js";

export const start: StartServer = async ({ engine, handler, onError, onUpgrade, compress: compressed }) => {
  const app = Fastify({ http: HTTP });
  if (compressed) void app.register(compress, { threshold: 0 });
  void app.register(gatehouse, {
    engine,
    onError,
    inventory: "off",
    ...(onUpgrade === undefined ? {} : { onUpgrade }),
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
  void app.register((scope, _options, done) => {
    scope.all("/*", (request, reply) => handler(turnOf(request, reply)));
    done();
  });
  await app.listen({ port: 0, host: "127.0.0.1" });
  return {
    port: portOf(app),
    close: async () => {
      app.server.closeAllConnections();
      await app.close();
    },
  };
};

function turnOf(request: FastifyRequest, reply: FastifyReply): Turn {
  return {
    method: request.method,
    target: request.url,
    field: (name) => request.headers[name]?.toString(),
    body: request.body,
    read: () => text(request.raw),
    answer: (status, fields, body) =>
      reply
        .code(status)
        .headers(fields as Record<string, string>)
        .send(body),
    stream: (status, fields, chunks) =>
      reply
        .code(status)
        .headers(fields as Record<string, string>)
        .send(Readable.from(chunks)),
    signal: request.gatehouse.signal,
    raw: () => {
      reply.hijack();
      return { req: request.raw, res: reply.raw };
    },
  };
}
