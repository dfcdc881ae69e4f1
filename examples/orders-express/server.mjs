// The orders API on express 5.
import { createServer } from "node:http";
import { listen, run } from "@gatehouse-examples/orders";
import { gatehouse } from "@gatehouse/express";
import express from "express";

await run(({ engine, application, port, host }) => {
  const app = express();
  // In front of everything. `strict`: it does not serve if its routes are not the policy's.
  app.use(gatehouse(engine, { inventory: "strict" }));

  for (const [route, handler] of Object.entries(application)) {
    const [method, path] = route.split(" ");
    app[method.toLowerCase()](path, (request, response) => {
      const { status = 200, body } = handler(request.gatehouse);
      response.status(status).json(body);
    });
  }
  return listen(createServer(app), port, host);
});
