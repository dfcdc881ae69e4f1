// The orders API on fastify 5.
import Fastify from "fastify";
import { run } from "@gatehouse-examples/orders";
import { gatehouse } from "@gatehouse/fastify";

await run(async ({ engine, application, port, host }) => {
  const app = Fastify({ http: { requireHostHeader: false }, forceCloseConnections: true });
  await app.register(gatehouse, { engine, inventory: "strict" });

  for (const [key, handler] of Object.entries(application)) {
    const [method, url] = key.split(" ");
    app.route({
      method,
      url,
      handler: (request, reply) => {
        const { status = 200, body } = handler(request.gatehouse);
        return reply.code(status).send(body);
      },
    });
  }

  await app.listen({ port, host });
  return () => app.close();
});
