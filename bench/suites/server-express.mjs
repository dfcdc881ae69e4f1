// Express 5: bare, with the usual middleware, with Gatehouse.
import { measureServers } from "../lib/server-suite.mjs";

export const title = "Whole servers: express 5";

const settings = {
  id: "2",
  name: "express 5",
  variants: ["stack, JWT as documented", "stack, JWT with a prepared key"],
  added: 1 / 4,
  kept: 0.8,
};

export const run = (options) => measureServers("express", settings, options);
