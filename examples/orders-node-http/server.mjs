// The orders API on node:http.
import { listen, run } from "@gatehouse-examples/orders";
import { createServer } from "@gatehouse/node-http";

await run(({ engine, application, port, host }) => {
  const server = createServer(engine, (_request, _response, context) => {
    const { status = 200, body } = application[context.route](context);
    context.send(body, { status });
  });
  return listen(server, port, host);
});
