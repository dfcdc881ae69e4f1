// Orders API on node:http under policy.jsonc. Prints requests to try.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { isAbsolute, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { createEngine, parsePolicy } from "@gatehouse/core";
import { guard } from "@gatehouse/node-http";
import { checks, handle } from "./orders.mjs";
import { prepareKeys } from "./people.mjs";
import { tries } from "./tries.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const { fields, tokens, about } = prepareKeys(here("keys"));
process.env.REDACTION_KEY ??= randomBytes(32).toString("hex");

// On another port the server is another host. A real API is served under one name and needs none of this.
const port = Number(process.env.PORT ?? 8080);
const file = here("policy.jsonc");
const text = readFileSync(file, "utf8").replaceAll(":8080", `:${port}`);
const engine = await createEngine(parsePolicy(text, file), {
  checks,
  onDecision: ({ error }) => {
    if (error !== undefined) console.error(error);
  },
});

const guarded = guard(engine, handle);
const server = createServer(guarded);
guarded.attach(server);
server.once("error", (error) => {
  const taken = error.code === "EADDRINUSE";
  console.error(taken ? `port ${port} is taken: try \`PORT=${port + 1} npm start\`` : error.message);
  process.exitCode = 1;
  void engine.close();
});
server.listen(port, "127.0.0.1", () => {
  const origin = `http://localhost:${port}`;
  console.log(
    `Orders API under the policy \`${engine.name}\`, revision ${engine.revision.slice(0, 12)}, on ${origin}\n`,
  );
  for (const [name, token] of Object.entries(tokens))
    console.log(`${name} is ${about[name]}; the token:\n  ${token}`);
  console.log("\nRequests to try, each with the status that it gives:\n");
  for (const { status, about: what, line } of tries(origin, shortened(fields)))
    console.log(`# ${status}: ${what}\n${line}\n`);
  console.log("Ctrl-C ends it.");
});

process.once("SIGINT", stop).once("SIGTERM", stop);

function stop() {
  server.close(() => void engine.close());
  server.closeAllConnections();
}

/** As seen from where the command was typed, so that a line is short and works as printed. */
function shortened(paths) {
  const from = process.env.INIT_CWD ?? process.cwd();
  return Object.fromEntries(
    Object.entries(paths).map(([name, path]) => {
      const near = relative(from, path);
      return [name, near.startsWith("..") || isAbsolute(near) ? path : near];
    }),
  );
}
