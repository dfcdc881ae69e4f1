// Fastify 5: bare, with its own plugins and schemas, with Gatehouse.
import { measureServers } from "../lib/server-suite.mjs";

export const title = "Whole servers: fastify 5";

const settings = {
  id: "3",
  name: "fastify 5",
  variants: ["plugins as documented", "plugins, cache of tokens on"],
  added: 1 / 3,
  kept: 0.65,
};

export const run = (options) => measureServers("fastify", settings, options);
