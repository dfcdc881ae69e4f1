// The orders API on NestJS over fastify. Plain JavaScript: what TypeScript writes as `@Decorator()` is called as a function here.
/* oxlint-disable typescript/no-extraneous-class -- Nest takes classes; what they hold is put on them here */
import "reflect-metadata";
import { run } from "@gatehouse-examples/orders";
import { gatehouse } from "@gatehouse/fastify";
import { Controller, Module, Req, RequestMapping, RequestMethod, Res } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { FastifyAdapter } from "@nestjs/platform-fastify";

await run(async ({ engine, application, port, host }) => {
  class OrdersController {}
  const { prototype } = OrdersController;
  for (const [route, handler] of Object.entries(application)) {
    const [method, path] = route.split(" ");
    prototype[route] = (request, reply) => {
      const { status = 200, body } = handler(request.gatehouse);
      reply.code(status);
      return body;
    };
    RequestMapping({ method: RequestMethod[method], path })(
      prototype,
      route,
      Object.getOwnPropertyDescriptor(prototype, route),
    );
    Req()(prototype, route, 0);
    Res({ passthrough: true })(prototype, route, 1);
  }
  Controller()(OrdersController);

  class OrdersModule {}
  Module({ controllers: [OrdersController] })(OrdersModule);

  const adapter = new FastifyAdapter({ http: { requireHostHeader: false }, forceCloseConnections: true });
  const app = await NestFactory.create(OrdersModule, adapter, { logger: ["error", "warn"] });
  // Before `listen`, where Nest registers its own plugins and routes.
  await app.register(gatehouse, { engine, inventory: "strict" });
  await app.listen(port, host);
  return () => app.close();
});
