import core = require("@gatehouse/core");
import adapter = require("@gatehouse/node-http");

export const engine: Promise<core.Engine> = core.createEngine({ gatehouse: 1, name: "consumer", routes: {} });
export const guard: typeof adapter.guard = adapter.guard;
