// node:http: bare, with the same work put together by hand, with Gatehouse.
import { measureServers } from "../lib/server-suite.mjs";

export const title = "Whole servers: node:http";

const settings = {
  id: "4",
  name: "node:http",
  variants: ["stack, JWT as documented", "stack, JWT with a prepared key"],
  added: 1 / 3,
  kept: 0.75,
  floor: "written by hand for these routes alone",
};

export const run = (options) => measureServers("node-http", settings, options);
