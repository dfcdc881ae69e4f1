// A real browser is the judge of CORS and of cross-site requests: Chromium's own idea of what a page may read is held
// against a small oracle, written from the Fetch standard and the language's reference, on generated policies.
import { createEngine } from "@gatehouse/core";
import { createServer } from "@gatehouse/node-http";
import fc from "fast-check";
import { expect, listening, pages, run, sendForm, stop } from "./lib/browser-judge.mjs";
import { launch } from "./lib/chromium.mjs";

const POLICIES = Number(process.env.GATEHOUSE_CORS_POLICIES ?? 25);
const seed = Number(process.env.GATEHOUSE_SEED ?? Date.now() % 2 ** 31);

const visitors = await pages();
const { port: pagePort } = visitors.address();
const pageOrigin = (host) => `http://${host}:${pagePort}`;

const browser = await launch();
const context = await browser.newContext();
const tabs = new Map();

async function tabAt(host) {
  const known = tabs.get(host);
  if (known !== undefined) return known;
  const tab = await context.newPage();
  await tab.goto(pageOrigin(host));
  tabs.set(host, tab);
  return tab;
}

/** What the page's script sees of a fetch: what it can read, or nothing at all. */
async function fetchFrom(host, url, init) {
  const tab = await tabAt(host);
  return tab.evaluate(
    async ([target, options]) => {
      try {
        const response = await fetch(target, options);
        return {
          status: response.status,
          fields: Object.fromEntries(response.headers),
          text: await response.text(),
        };
      } catch {
        return undefined;
      }
    },
    [url, init],
  );
}

/** An API under a policy; `runs` counts how often its handler ran. */
async function serve(policy, options = {}, answer = () => ({ ok: true })) {
  const engine = await createEngine(
    { gatehouse: 1, name: "cors", transport: { https: "off" }, ...policy },
    options,
  );
  const api = { runs: 0 };
  const server = await listening(
    createServer(engine, (request, response, given) => {
      api.runs += 1;
      given.send(answer(request, response));
    }),
  );
  api.at = (host, path) => `http://${host}:${server.address().port}${path}`;
  api.close = async () => {
    stop(server);
    await engine.close();
  };
  return api;
}

const OPEN = { authenticate: "none" };
const HOSTS = [
  "a.localhost",
  "eu.shop.localhost",
  "x.eu.shop.localhost",
  "evil.localhost",
  "shop.localhost.evil.localhost",
];

/** What a page may do, by the reference of the language. */
function oracle({ origins, credentials, requestHeaders }, { host, method, header, include }, known) {
  const listed =
    origins.includes("*") ||
    origins.includes(pageOrigin(host)) ||
    (origins.some((origin) => origin.includes("*.shop.")) && /^[^.]+\.shop\.localhost$/.test(host));
  const mayRead = listed && (!include || credentials);
  const simple = header === undefined && ["GET", "HEAD", "POST"].includes(method);
  if (simple) return { reads: mayRead, runs: known };
  const asked =
    header === undefined || requestHeaders.some((name) => name.toLowerCase() === header.toLowerCase());
  const admitted = mayRead && known && asked;
  return { reads: admitted, runs: admitted };
}

const situation = fc.record({
  host: fc.constantFrom(...HOSTS),
  method: fc.constantFrom("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"),
  header: fc.constantFrom(undefined, "X-Trace", "Authorization", "X-Other"),
  include: fc.boolean(),
  path: fc.constantFrom("/open", "/closed", "/nowhere"),
});
const cors = fc
  .record({
    origins: fc.oneof(
      fc.constant(["*"]),
      fc.uniqueArray(fc.constantFrom(pageOrigin("a.localhost"), pageOrigin("*.shop.localhost")), {
        minLength: 1,
      }),
    ),
    credentials: fc.boolean(),
    requestHeaders: fc.uniqueArray(fc.constantFrom("Content-Type", "Authorization", "X-Trace"), {
      minLength: 1,
    }),
  })
  // The two are a compile error together.
  .map((given) => (given.origins.includes("*") ? { ...given, credentials: false } : given));

async function generated() {
  const drawn = fc.sample(fc.tuple(cors, fc.array(situation, { minLength: 12, maxLength: 12 })), {
    seed,
    numRuns: POLICIES,
  });
  for (const [settings, situations] of drawn) {
    const api = await serve({
      cors: settings,
      routes: { "* /open": OPEN, "GET /closed": { ...OPEN, cors: "none" } },
    });
    for (const [index, one] of situations.entries()) {
      const { host, method, header, include, path } = one;
      const known = path === "/open" || (path === "/closed" && ["GET", "HEAD"].includes(method));
      const wanted =
        path === "/closed" && known
          ? { reads: false, runs: header === undefined }
          : oracle(settings, one, known);
      api.runs = 0;
      const got = await fetchFrom(host, api.at("api.localhost", `${path}?${index}`), {
        method,
        credentials: include ? "include" : "omit",
        ...(header === undefined ? {} : { headers: { [header]: "x" } }),
      });
      expect(
        `seed ${seed}: ${JSON.stringify(settings)}: ${JSON.stringify(one)}`,
        { reads: got !== undefined, runs: api.runs > 0 },
        wanted,
      );
    }
    await api.close();
  }
}

/** Refusals that a page can read, with the fields that tell it what to do. */
async function readableRefusals() {
  const lookups = { find: (sha256) => ({ id: "ann", sha256 }) };
  const api = await serve(
    {
      cors: { origins: [pageOrigin("a.localhost")], expose: ["WWW-Authenticate"] },
      authenticators: {
        key: {
          type: "api-key",
          in: "header",
          name: "Authorization",
          scheme: "ApiKey",
          keys: { lookup: "find" },
        },
      },
      limits: { few: { limit: 1, window: "1h" } },
      routes: { "GET /mine": { authorize: "authenticated" }, "GET /few": { ...OPEN, limits: ["few"] } },
    },
    { lookups },
  );
  const mine = api.at("api.localhost", "/mine");
  const refused = await fetchFrom("a.localhost", mine);
  expect("a 401 can be read", refused?.status, 401);
  expect("and so can its challenge", /^apikey/i.test(refused?.fields["www-authenticate"] ?? ""), true);
  expect("and its code", JSON.parse(refused?.text ?? "{}").code, "unauthenticated");
  const key = { headers: { Authorization: "ApiKey 0123456789abcdef0123456789abcdef" } };
  expect(
    "a preflight lets the credential's field through",
    (await fetchFrom("a.localhost", mine, key))?.status,
    200,
  );
  expect("not from elsewhere", await fetchFrom("evil.localhost", mine, key), undefined);
  const few = api.at("api.localhost", "/few");
  await fetchFrom("a.localhost", few);
  const limited = await fetchFrom("a.localhost", few);
  expect("a 429 can be read", limited?.status, 429);
  expect("and so can Retry-After", Number(limited?.fields["retry-after"]) >= 1, true);
  expect("and RateLimit", /"few"/.test(limited?.fields["ratelimit"] ?? ""), true);
  expect("a 429 is not for other origins", await fetchFrom("evil.localhost", few), undefined);
  await api.close();
}

/** A cookie travels by itself: same-site pages send it, and only listed ones get anywhere with it. */
async function cookies() {
  const app = "app.shop.localhost";
  const authenticators = { custom: () => ({ principal: { id: "ann" } }) };
  const api = await serve(
    {
      cors: { origins: [pageOrigin(app)], credentials: true },
      authenticators: { session: { type: "custom", use: "custom", in: "cookie", name: "sid" } },
      csrf: {},
      routes: {
        "GET /login": OPEN,
        "GET /me": { authorize: "authenticated" },
        "POST /pay": { authorize: "authenticated" },
      },
    },
    { authenticators },
    (request, response) => {
      if (request.url === "/login") response.setHeader("Set-Cookie", "sid=1; HttpOnly; SameSite=Lax");
      return { ok: true };
    },
  );
  const at = (path) => api.at("api.shop.localhost", path);
  const include = { credentials: "include" };
  await fetchFrom(app, at("/login"), include);
  expect("a listed page reads with the cookie", (await fetchFrom(app, at("/me"), include))?.status, 200);
  expect(
    "without it nobody is known",
    (await fetchFrom(app, at("/me"), { credentials: "omit" }))?.status,
    401,
  );
  expect(
    "a page of the same site that is not listed reads nothing",
    await fetchFrom("other.shop.localhost", at("/me"), include),
    undefined,
  );
  api.runs = 0;
  const pay = { ...include, method: "POST" };
  expect("a listed page may write", (await fetchFrom(app, at("/pay"), pay))?.status, 200);
  expect("it did", api.runs, 1);
  await fetchFrom("other.shop.localhost", at("/pay"), pay);
  await submitFrom("other.shop.localhost", at("/pay"));
  await submitFrom("evil.localhost", at("/pay"));
  expect("neither a script nor a form of a sibling or a stranger writes", api.runs, 1);
  await api.close();
}

async function submitFrom(host, url) {
  const tab = await context.newPage();
  await tab.goto(pageOrigin(host));
  await Promise.all([tab.waitForEvent("framenavigated"), sendForm(tab, url)]);
  await tab.close();
}

const close = async () => {
  await browser.close();
  stop(visitors);
};
await run([readableRefusals, cookies, generated], close, `, seed ${seed}`);
