// A real browser is the judge of csrf: Chromium keeps the cookies, sends them along where it would, and says with each request
// what it always says of its origin. What an older client leaves out is taken away between the two.
import { createServer as createHttps } from "node:https";
import { randomBytes } from "node:crypto";
import { createEngine } from "@gatehouse/core";
import { throwawayCertificate } from "@gatehouse/core/conformance";
import { guard } from "@gatehouse/node-http";
import { expect, HTML, listening, pages, run, sendForm, stop } from "./lib/browser-judge.mjs";
import { launch } from "./lib/chromium.mjs";

const OPEN = { authenticate: "none" };
const MINE = { authorize: "authenticated" };
const SECRET = randomBytes(32).toString("hex");
const FORM = { request: { types: ["application/x-www-form-urlencoded"] } };

const engine = await createEngine(
  {
    gatehouse: 1,
    name: "csrf",
    transport: { https: "require" },
    authenticators: { session: { type: "custom", use: "session", in: "cookie", name: "sid" } },
    // Pages that run scripts and send forms, even to other servers.
    headers: { "Content-Security-Policy": "default-src 'none'; connect-src *" },
    csrf: { tokens: { keys: [{ secret: "env:CSRF" }] } },
    routes: {
      "GET /page": OPEN,
      "GET /login/:who": OPEN,
      "POST /login": { ...OPEN, ...FORM, csrf: { always: true } },
      "GET /me": MINE,
      "POST /pay": { ...MINE, request: { types: ["application/json", ...FORM.request.types] } },
      "POST /unguarded": { ...MINE, ...FORM, csrf: "off" },
    },
  },
  {
    secrets: { get: () => SECRET },
    authenticators: { session: ({ credential }) => ({ principal: { id: credential } }) },
  },
);

const runs = [];
const handle = guard(engine, (request, response, { decision }) => {
  runs.push(`${request.method} ${request.url} ${decision.principal?.id ?? "nobody"}`);
  const [, who] = /^\/login\/(\w+)$/u.exec(request.url) ?? [];
  // As open as a session can be: the browser sends it along from everywhere.
  if (who !== undefined)
    response.setHeader("Set-Cookie", `sid=${who}; Path=/; HttpOnly; Secure; SameSite=None`);
  response.setHeader("Content-Type", "text/html");
  response.end(HTML);
});

const NEW_FIELDS = /^(?:origin|sec-fetch-.*)$/iu;

/** What an older client would have sent. */
function strip(request) {
  const { rawHeaders } = request;
  for (let index = rawHeaders.length - 2; index >= 0; index -= 2)
    if (NEW_FIELDS.test(rawHeaders[index])) rawHeaders.splice(index, 2);
}

const serve = (listener) => listening(createHttps(throwawayCertificate(), listener));

const today = await serve(handle);
const older = await serve((request, response) => {
  // The page itself is loaded as today: its address is what counts for the browser.
  if (request.method === "POST") strip(request);
  handle(request, response);
});
const strangers = await pages();

const api = (server) => `https://api.shop.localhost:${server.address().port}`;
const stranger = `http://evil.localhost:${strangers.address().port}/`;
const sibling = `https://other.shop.localhost:${today.address().port}/page`;

const browser = await launch();

/** A browser of one person's, who is logged in. */
async function personWho(id) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const tab = await context.newPage();
  await tab.goto(`${api(today)}/login/${id}`);
  return { context, tab };
}

/** What a script of that page gets from a `POST`. */
async function postFrom(tab, url, headers = {}) {
  return tab.evaluate(
    async ([target, fields]) => {
      try {
        const response = await fetch(target, {
          method: "POST",
          credentials: "include",
          headers: { "Content-Type": "application/json", ...fields },
          body: "{}",
        });
        const text = await response.text();
        return [response.status, response.ok ? undefined : JSON.parse(text).code];
      } catch {
        return undefined;
      }
    },
    [url, headers],
  );
}

/** The status of the page that a form leads to. */
async function submitFrom(tab, url) {
  const [response] = await Promise.all([
    tab.waitForResponse((answer) => answer.request().method() === "POST" && answer.url() === url),
    sendForm(tab, url),
    tab.waitForURL(url),
  ]);
  return response.status();
}

const tokenOf = async (tab) => tab.evaluate(() => /(?:^|; )__Host-csrf=([^;]+)/u.exec(document.cookie)?.[1]);

/** How often the handler ran because of it. */
async function ran(doing) {
  const before = runs.length;
  const found = await doing();
  return [found, runs.slice(before)];
}

async function tokens() {
  const { context, tab } = await personWho("ann");
  const pay = `${api(older)}/pay`;
  // Everybody's today: the browser says that the page is the API's own.
  await tab.goto(`${api(today)}/page`);
  expect("nobody gets a token without a session that is used", await tokenOf(tab), undefined);
  expect("a page of the API's own writes", await ran(() => postFrom(tab, `${api(today)}/pay`)), [
    [200, undefined],
    ["POST /pay ann"],
  ]);
  await tab.goto(`${api(older)}/me`);
  const token = await tokenOf(tab);
  expect("whoever is known gets a token that the page can read", typeof token, "string");
  const [cookie] = (await context.cookies()).filter(({ name }) => name === "__Host-csrf");
  expect(
    "and that the browser sends nowhere else",
    [cookie?.secure, cookie?.httpOnly, cookie?.sameSite, cookie?.path, cookie?.domain],
    [true, false, "Strict", "/", "api.shop.localhost"],
  );
  const refused = [[403, "cross-site-request"], []];
  expect("an older client without the token is refused", await ran(() => postFrom(tab, pay)), refused);
  expect("with it it writes", await ran(() => postFrom(tab, pay, { "X-CSRF-Token": token })), [
    [200, undefined],
    ["POST /pay ann"],
  ]);
  const changed = `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`;
  for (const [what, sent] of [
    ["changed", changed],
    ["empty", ""],
    ["twice", `${token}, ${token}`],
  ])
    expect(
      `a token that is ${what} is none`,
      await ran(() => postFrom(tab, pay, { "X-CSRF-Token": sent })),
      refused,
    );
  expect("a form has no header to repeat it in", await ran(() => submitFrom(tab, pay)), [403, []]);
  await context.close();
  return token;
}

/** @param anns a token of somebody else's */
async function othersTokens(anns) {
  const { context, tab } = await personWho("eve");
  await tab.goto(`${api(older)}/me`);
  const own = await tokenOf(tab);
  const pay = `${api(older)}/pay`;
  expect("another's token is none", await ran(() => postFrom(tab, pay, { "X-CSRF-Token": anns })), [
    [403, "cross-site-request"],
    [],
  ]);
  // As a sibling domain could have done, if the name of the cookie let it.
  await context.addCookies([
    { name: "__Host-csrf", value: anns, url: `${api(older)}/`, secure: true, sameSite: "Strict" },
  ]);
  const planted = await ran(() => postFrom(tab, pay, { "X-CSRF-Token": anns }));
  expect("nor is it when the cookie was planted to match", planted, [[403, "cross-site-request"], []]);
  expect("and the own one is another", own === anns, false);
  await context.close();
}

async function crossSite() {
  for (const [where, address] of [
    ["a stranger", stranger],
    ["a sibling", sibling],
  ]) {
    const { context, tab } = await personWho("ann");
    const submit = async (url) => {
      await tab.goto(address);
      return ran(() => submitFrom(tab, url));
    };
    expect(`the session comes along with a form of ${where}`, await submit(`${api(today)}/unguarded`), [
      200,
      ["POST /unguarded ann"],
    ]);
    expect(`a form of ${where} is refused`, await submit(`${api(today)}/pay`), [403, []]);
    expect(`from an older client too`, await submit(`${api(older)}/pay`), [403, []]);
    expect(`nor does ${where} log its visitor in`, await submit(`${api(today)}/login`), [403, []]);
    await tab.goto(address);
    expect(`${where} reads no token`, await tokenOf(tab), undefined);
    const scripted = await ran(() => postFrom(tab, `${api(today)}/pay`, { "X-CSRF-Token": "x" }));
    expect(`a script of ${where} gets nowhere`, scripted, [undefined, []]);
    await context.close();
  }
  const { context, tab } = await personWho("ann");
  await tab.goto(`${api(today)}/page`);
  expect("the API's own page logs in", await ran(() => submitFrom(tab, `${api(today)}/login`)), [
    200,
    ["POST /login nobody"],
  ]);
  await context.close();
}

const close = async () => {
  await browser.close();
  for (const server of [today, older, strangers]) stop(server);
  await engine.close();
};
await run([async () => othersTokens(await tokens()), crossSite], close);
