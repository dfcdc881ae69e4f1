// The orders API on koa: the guard owns the server, and koa is its handler.
import { createServer } from "node:http";
import { listen, run } from "@gatehouse-examples/orders";
import { guard } from "@gatehouse/node-http";
import Koa from "koa";
import { answers } from "./answers.mjs";

await run(({ engine, application, port, host }) => {
  const app = new Koa();
  app.use(answers);
  app.use((ctx) => {
    const { status = 200, body } = application[ctx.req.gatehouse.route](ctx.req.gatehouse);
    ctx.status = status;
    ctx.body = body;
  });

  const handle = app.callback();
  const guarded = guard(engine, (request, response, context) => {
    request.gatehouse = context;
    return handle(request, response);
  });
  return listen(guarded.attach(createServer({ requireHostHeader: false })), port, host);
});
