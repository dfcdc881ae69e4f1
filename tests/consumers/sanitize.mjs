// What a user of `sanitize` meets: without the peers an error that says what to install, with them clean markup, from this
// thread and from a worker. The argument says which.
import { createEngine } from "@gatehouse/core";

const policy = {
  gatehouse: 1,
  name: "consumer",
  transport: { https: "off" },
  routes: {
    "POST /posts": {
      authenticate: "none",
      request: {
        body: { type: "object", properties: { html: { type: "string" } } },
        sanitize: { "/html": "html" },
      },
    },
  },
};

async function clean(engine, html) {
  const headers = [["Host", "a.test"]];
  const decision = await engine.evaluate({ method: "POST", target: "/posts", headers, body: { html } });
  return decision.outcome === "admit" ? decision.body.html : decision.reason;
}

if (process.argv[2] === "missing") {
  const error = await createEngine(policy).then(
    () => new Error("served"),
    (refused) => refused,
  );
  const [{ code, help } = {}] = error.diagnostics ?? [];
  if (code !== "missing-sanitizer" || help !== "`npm install jsdom dompurify`") throw error;
} else {
  const engine = await createEngine(policy);
  for (const times of [1, 300]) {
    const left = await clean(engine, "<p onclick=x>y</p>".repeat(times));
    if (left !== "<p>y</p>".repeat(times)) throw new Error(`${times}: ${left}`);
  }
  await engine.close();
}
