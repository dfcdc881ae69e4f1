/** undeclared_never_leaves, for every way in which express can answer (B8.126 to B8.131). */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import type { Request, Response } from "express";
import { ask, later, policyOf } from "../servers/wire.js";
import { serve } from "./support.js";
import { VERSIONS, type Express } from "./versions.js";

const CANARY = "canary-7f3a";
const VALUE = { id: 7, secret: CANARY, nested: { kept: true, secret: CANARY } };
const TEXT = JSON.stringify(VALUE);
const CUT = '{"id":7,"nested":{"kept":true}}';
const ORDER = {
  type: "object",
  properties: {
    id: { type: "integer" },
    nested: { type: "object", properties: { kept: { type: "boolean" } } },
  },
};
const POLICY = policyOf({
  "GET /ruled": { response: { body: ORDER } },
  "GET /free": {},
  "GET /encoded": { response: { encode: true } },
});

/** A way to answer, and the status and text that go out under the rule. */
type Way = readonly [
  name: string,
  write: (res: Response, req: Request) => unknown,
  status: number,
  text: string,
];

const WITHHELD = '"code":"unreadable-response"';

const WAYS: readonly Way[] = [
  ["json", (res) => res.json(VALUE), 200, CUT],
  ["json of an object with toJSON", (res) => res.json({ toJSON: () => VALUE }), 200, CUT],
  ["send an object", (res) => res.send(VALUE), 200, CUT],
  ["send text as JSON", (res) => res.type("json").send(TEXT), 200, CUT],
  ["send text as HTML", (res) => res.send(TEXT), 500, WITHHELD],
  ["send a Buffer", (res) => res.type("json").send(Buffer.from(TEXT)), 200, CUT],
  ["send a Buffer without a type", (res) => res.send(Buffer.from(TEXT)), 500, WITHHELD],
  ["end", (res) => res.end(TEXT), 200, CUT],
  ["write in pieces", (res) => TEXT.split("").forEach((one) => res.write(one)) ?? res.end(), 200, CUT],
  ["writeHead and end", (res) => res.writeHead(200, ["X-A", "1"]).end(TEXT), 200, CUT],
  ["pipe", (res) => Readable.from([TEXT.slice(0, 20), TEXT.slice(20)]).pipe(res), 200, CUT],
  ["jsonp without a callback", (res) => res.jsonp(VALUE), 200, CUT],
  ["json with a status", (res) => res.status(201).json(VALUE), 201, CUT],
  ["json as 204", (res) => res.status(204).json(VALUE), 204, ""],
  ["json as 205", (res) => res.status(205).json(VALUE), 205, ""],
  ["json as 304", (res) => res.status(304).json(VALUE), 304, ""],
  ["json as 500", (res) => res.status(503).json(VALUE), 503, '"code":"handler-failed"'],
  ["compressed by hand", (res) => res.type("json").set("Content-Encoding", "gzip").send(TEXT), 500, WITHHELD],
  ["sendStatus", (res) => res.sendStatus(200), 500, WITHHELD],
  ["a reason phrase", (res) => Object.assign(res, { statusMessage: CANARY }).json(VALUE), 200, CUT],
  ["a trailer", (res) => res.set("Trailer", "X-T").addTrailers({ "X-T": CANARY }) ?? res.end(TEXT), 200, CUT],
  ["early hints", (res) => [res.writeEarlyHints({ link: `<${CANARY}>` }), res.json(VALUE)], 200, CUT],
];

describe.each(VERSIONS)("$name", ({ express }) => {
  const served = (write: (res: Response, req: Request) => unknown, settings = {}): ReturnType<typeof serve> =>
    serve(
      express,
      POLICY,
      (app: Express, guard) => {
        app.use(guard);
        app.get(["/ruled", "/free", "/encoded"], (req, res) => void write(res, req));
      },
      { settings },
    );

  it.each(WAYS)("undeclared_never_leaves: %s", async (_name, write, status, text) => {
    const app = await served(write);
    const answer = await ask(app, "GET /ruled HTTP/1.1\nIf-None-Match: *\nRange: bytes=0-10");
    expect(answer.status).toBe(status);
    if (text.startsWith('"')) expect(answer.text).toContain(text);
    else expect(answer.text).toBe(text);
    expect(JSON.stringify([answer.headers, answer.text])).not.toContain(CANARY);
    // A fingerprint of the whole text would tell of what was cut.
    expect(answer.header("etag")).toBeUndefined();
    const head = await ask(app, "HEAD /ruled HTTP/1.1");
    expect([head.text, JSON.stringify(head.headers).includes(CANARY)]).toEqual(["", false]);
  });

  it.each([["callback"], ["cb"]])("undeclared_never_leaves: JSONP is withheld (%s)", async (name) => {
    const app = await served((res) => res.jsonp(VALUE), { "jsonp callback name": name });
    const answer = await ask(app, `GET /ruled?${name}=f HTTP/1.1`);
    expect([answer.status, answer.text.includes(WITHHELD), answer.text.includes(CANARY)]).toEqual([
      500,
      true,
      false,
    ]);
    expect((await ask(app, `GET /free?${name}=f HTTP/1.1`)).text).toContain(`&& f(${TEXT})`);
  });

  it.each([
    ["json spaces", 2],
    ["json escape", true],
    ["json replacer", (_key: string, value: unknown) => value],
  ])("undeclared_never_leaves: with the application's own `%s`", async (setting, value) => {
    const app = await served((res) => res.json(VALUE), { [setting]: value });
    expect((await ask(app, "GET /ruled HTTP/1.1")).text).toBe(CUT);
    expect((await ask(app, "GET /free HTTP/1.1")).text).toContain(CANARY);
  });

  it("undeclared_never_leaves: a file, a download and a redirect", async () => {
    const folder = mkdtempSync(join(tmpdir(), "gatehouse-"));
    later(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "order.json");
    writeFileSync(file, TEXT);
    for (const write of [
      (res: Response) => res.sendFile(file),
      (res: Response) => res.download(file, `${CANARY}.json`),
    ]) {
      const app = await served(write);
      const cut = await ask(app, "GET /ruled HTTP/1.1\nRange: bytes=0-10");
      expect([cut.status, cut.text, cut.header("etag"), cut.header("last-modified")]).toEqual([
        200,
        CUT,
        undefined,
        undefined,
      ]);
      expect((await ask(app, "GET /free HTTP/1.1\nRange: bytes=0-10")).status).toBe(206);
    }
    const redirected = await ask(await served((res) => res.redirect("/elsewhere")), "GET /ruled HTTP/1.1");
    expect([redirected.status, redirected.text.includes("elsewhere")]).toEqual([500, false]);
  });

  it("without a rule express answers as ever: ETag, 304, the application's way of writing", async () => {
    const app = await served((res) => res.json(VALUE), { "json spaces": 1 });
    const first = await ask(app, "GET /free HTTP/1.1");
    expect(first.text).toBe(JSON.stringify(VALUE, undefined, 1));
    const etag = first.header("etag");
    expect(etag).toMatch(/^W\/"/u);
    const second = await ask(app, `GET /free HTTP/1.1\nIf-None-Match: ${etag ?? ""}`);
    expect([second.status, second.text]).toEqual([304, ""]);
  });

  it("`encode` applies to what `res.json` is given", async () => {
    const app = await served((res) => res.json({ html: "<b>" }));
    const answer = await ask(app, "GET /encoded HTTP/1.1");
    expect([answer.text, answer.header("content-type")]).toEqual([
      '{"html":"\\u003cb\\u003e"}',
      "application/json; charset=utf-8",
    ]);
  });

  it("`res.json` keeps what the handler set, and returns the response", async () => {
    const app = await served((res) => {
      const same = res.status(202).set("X-A", "1").type("application/vnd.order+json").json(VALUE);
      expect(same).toBe(res);
    });
    const answer = await ask(app, "GET /ruled HTTP/1.1");
    expect([answer.status, answer.header("x-a"), answer.text]).toEqual([202, "1", CUT]);
    expect(answer.header("content-type")).toMatch(/^application\/vnd\.order\+json/u);
  });

  it("a second answer is an error, as ever", async () => {
    const app = await served((res) => {
      res.json(VALUE);
      res.json(VALUE);
    });
    expect((await ask(app, "GET /ruled HTTP/1.1")).text).toBe(CUT);
    await expect.poll(() => app.errors).toEqual(["Cannot write headers after they are sent to the client"]);
  });

  it("`X-Powered-By` does not leave", async () => {
    const app = await served((res) => res.json(VALUE));
    for (const line of ["GET /ruled", "GET /free", "GET /nothing", "POST /ruled"]) {
      expect((await ask(app, `${line} HTTP/1.1`)).header("x-powered-by")).toBeUndefined();
    }
  });

  it("in observe mode everything leaves as the handler wrote it", async () => {
    const app = await serve(express, { ...POLICY, mode: "observe" }, (one, guard) => {
      one.use(guard);
      one.get("/ruled", (_req, res) => res.json(VALUE));
    });
    const answer = await ask(app, "GET /ruled HTTP/1.1");
    expect([answer.text, answer.header("x-powered-by")]).toEqual([TEXT, "Express"]);
  });
});
