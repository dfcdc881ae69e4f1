// The orders API on hono, on Node.
import { listen, run } from "@gatehouse-examples/orders";
import { gatehouse } from "@gatehouse/fetch";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";

await run(({ engine, application, port, host }) => {
  const app = new Hono();
  app.use(
    gatehouse(engine, {
      app,
      inventory: "strict",
      // What a Request does not tell, hono's server for Node does.
      remoteAddress: (_request, { env }) => env.incoming.socket.remoteAddress,
      target: (_request, { env }) => env.incoming.url,
    }),
  );
  for (const [route, handler] of Object.entries(application)) {
    const [method, path] = route.split(" ");
    app.on(method, path, (c) => {
      const context = c.get("gatehouse");
      const { status, body } = handler(context);
      return context.send(body, { status });
    });
  }
  return listen(createAdaptorServer({ fetch: app.fetch }), port, host);
});
