// The orders API over HTTPS, with HTTP/2. `kill -HUP` renews its certificate; connections that are open go on.
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "@gatehouse-examples/orders";
import { createSecureServer } from "@gatehouse/node-http";
import { prepareCertificate } from "./certificate.mjs";

const folder = fileURLToPath(new URL("keys", import.meta.url));
const { ca, key, cert, renew } = prepareCertificate(folder);

async function serve({ engine, application, port, host }) {
  const server = await createSecureServer(
    engine,
    (_request, _response, context) => {
      const { status = 200, body } = application[context.route](context);
      context.send(body, { status });
    },
    { key: `file:${key}`, cert: `file:${cert}`, http2: true },
  );
  const sessions = new Set();
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  process.on("SIGHUP", () => {
    renew();
    server.reload().catch((error) => console.error(error.message));
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return () =>
    new Promise((resolve) => {
      server.close(resolve);
      for (const session of sessions) session.destroy();
    });
}

await run(serve, {
  scheme: "https",
  curl: `--cacert ${relative(process.env.INIT_CWD ?? process.cwd(), ca)}`,
});
