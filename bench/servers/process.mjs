// Servers in a process of their own: starts one for each set of options that it is told, and tells its processor time
// whenever it is asked.
import { createEngine } from "@gatehouse/core";
import { policyOf } from "./policy.mjs";
import { secret } from "./work.mjs";

process.env.ORDERS_SECRET = secret;

async function start({ framework, side, ...options }) {
  const servers = await import(new URL(`${framework}.mjs`, import.meta.url));
  const engine = side === "gatehouse" ? await createEngine(policyOf(options)) : undefined;
  return servers[side]({ ...options, engine });
}

const usage = () => ({ cpu: process.cpuUsage(), rss: process.memoryUsage.rss() });

process.on("message", (question) => {
  if (question === "usage") process.send(usage());
  else void start(question).then((port) => process.send({ port }));
});
process.on("disconnect", () => process.exit(0));
