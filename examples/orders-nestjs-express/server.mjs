// The orders API on NestJS over express. Plain JavaScript: what TypeScript writes as `@Decorator()` is called as a function here.
/* oxlint-disable typescript/no-extraneous-class -- Nest takes classes; what they hold is put on them here */
import "reflect-metadata";
import { run } from "@gatehouse-examples/orders";
import { gatehouse } from "@gatehouse/express";
import { Controller, Module, Req, RequestMapping, RequestMethod, Res } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";

await run(async ({ engine, application, port, host }) => {
  class OrdersController {}
  const { prototype } = OrdersController;
  for (const [route, handler] of Object.entries(application)) {
    const [method, path] = route.split(" ");
    prototype[route] = (request, response) => {
      const { status = 200, body } = handler(request.gatehouse);
      response.status(status);
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

  const app = await NestFactory.create(OrdersModule, { logger: ["error", "warn"] });
  // Before `listen`, so that it stands in front of Nest's own body parsers and routes.
  app.use(gatehouse(engine, { inventory: "strict" }));
  await app.listen(port, host);
  return () => app.close();
});
