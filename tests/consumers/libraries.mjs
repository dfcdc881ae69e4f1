// Asks for each of the libraries that are loaded when a policy needs them: a text, patterns of both kinds, a component of a signature.
import { checkPolicy, createEngine, parsePolicy } from "@gatehouse/core";

const text = `{
  // With a comment, so that it is read by the reader of such texts.
  "gatehouse": 1,
  "name": "consumer",
  "transport": { "https": "off" },
  "routes": {
    "POST /orders": {
      "authenticate": "none",
      "authorize": { "when": "headers['x-shop'].matches('^[a-z]+$')" },
      "request": { "body": { "type": "object", "properties": { "sku": { "type": "string", "pattern": "^[A-Z]+$" } } } },
    },
  },
}`;

async function outcome(engine, shop, sku) {
  const headers = [
    ["Host", "a.test"],
    ["X-Shop", shop],
  ];
  return (await engine.evaluate({ method: "POST", target: "/orders", headers, body: { sku } })).outcome;
}

// No await outside of a function: this is bundled as CommonJS, too.
async function run() {
  const engine = await createEngine(parsePolicy(text));
  const outcomes = [];
  for (const [shop, sku] of [
    ["acme", "ABC"],
    ["ACME", "ABC"],
    ["acme", "abc"],
  ])
    outcomes.push(await outcome(engine, shop, sku));
  if (outcomes.join() !== "admit,refuse,refuse") throw new Error(outcomes.join());

  const partner = {
    type: "http-signature",
    keys: [{ keyid: "a", algorithm: "hmac-sha256", key: { secret: "env:A" }, id: "a" }],
    components: ["@method", "date;sf", "priority;sf", '@query-param;name="a"', "x;key=1"],
  };
  const signed = { ...parsePolicy(text), authenticators: { partner } };
  const pointers = checkPolicy(signed).filter(({ code }) => code === "invalid-component");
  if (pointers.map(({ pointer }) => pointer.slice(-1)).join() !== "1,4")
    throw new Error(JSON.stringify(checkPolicy(signed)));
}

run().catch((error) => {
  process.exitCode = 1;
  process.stderr.write(`${error.message}\n`);
});
