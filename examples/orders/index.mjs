// What all servers of this example share: the policy, the application, and a start that prints requests to try.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { isAbsolute, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { createEngine, parsePolicy } from "@gatehouse/core";
import { application, checks } from "./application.mjs";
import { prepareKeys } from "./people.mjs";
import { tries } from "./tries.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/**
 * Compiles the policy, lets `serve` start a server, prints requests to try, and ends it all on Ctrl-C.
 * @param serve given `{ engine, application, port, host }`; resolves, once the server listens, to what closes it
 * @param scheme of the origin that is printed; `curl` comes into each printed line (`--cacert …`)
 */
export async function run(serve, { scheme = "http", curl = "" } = {}) {
  // On another port the server is another host. A real API is served under one name and needs none of this.
  const port = Number(process.env.PORT ?? 8080);
  const { fields, tokens, about } = prepareKeys(here(`keys/${port}`));
  process.env.REDACTION_KEY ??= randomBytes(32).toString("hex");
  const file = here("policy.jsonc");
  const text = readFileSync(file, "utf8")
    .replaceAll(":8080", `:${port}`)
    .replaceAll("keys/", `keys/${port}/`);
  const engine = await createEngine(parsePolicy(text, file), {
    checks,
    onDecision: ({ error }) => {
      if (error !== undefined) console.error(error);
    },
  });

  let close;
  try {
    close = await serve({ engine, application, port, host: "127.0.0.1" });
  } catch (error) {
    const taken = error.code === "EADDRINUSE";
    console.error(taken ? `port ${port} is taken: try \`PORT=${port + 1} npm start\`` : error);
    process.exitCode = 1;
    return engine.close();
  }
  announce(engine, `${scheme}://localhost:${port}`, { fields, tokens, about, curl });

  const stop = () => {
    void close().then(() => engine.close());
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
}

function announce(engine, origin, { fields, tokens, about, curl }) {
  const revision = engine.revision.slice(0, 12);
  console.log(`Orders API under the policy \`${engine.name}\`, revision ${revision}, on ${origin}\n`);
  for (const [name, token] of Object.entries(tokens))
    console.log(`${name} is ${about[name]}; the token:\n  ${token}`);
  console.log("\nRequests to try, each with the status that it gives:\n");
  for (const { status, about: what, line } of tries(origin, shortened(fields), curl))
    console.log(`# ${status}: ${what}\n${line}\n`);
  console.log("Ctrl-C ends it.");
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

/** A `node:http` server's part of `serve`: listening, and closing it with all its connections. */
export async function listen(server, port, host) {
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
}
