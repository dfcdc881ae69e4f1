/** What was validated is what a handler reads: principal, query, body; and what stands in the way of it. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { RequestHandler } from "express";
import { ask, policyOf } from "../servers/wire.js";
import { serve } from "./support.js";
import { VERSIONS, type Express } from "./versions.js";

const BODY = { type: "object", properties: { name: { type: "string" } }, additionalProperties: false };
const ROUTES = {
  "POST /read": { request: { body: BODY } },
  "POST /stream": {},
  "GET /typed": { request: { query: { n: { type: "integer", default: 7 } } } },
  "GET /untyped": {},
};
const KEY = "0123456789abcdef0123456789abcdef";
const KEYS = JSON.stringify([{ id: "ann", sha256: createHash("sha256").update(KEY).digest("hex") }]);
const KEYED = policyOf(
  { ...ROUTES, "GET /who": { authenticate: ["key"], authorize: "authenticated" } },
  {
    authenticators: { key: { type: "api-key", in: "header", name: "X-Key", keys: { secret: "env:KEYS" } } },
  },
);
const JSON_POST = "HTTP/1.1\nContent-Type: application/json\nContent-Length: 14";
const TEXT = '{"name":"ann"}';

describe.each(VERSIONS)("$name", ({ express }) => {
  const served = async (
    register: (app: Express) => unknown,
    before: (app: Express) => unknown = () => 0,
  ): ReturnType<typeof serve> =>
    serve(
      express,
      policyOf(ROUTES),
      (app, guard) => {
        before(app);
        app.use(guard);
        register(app);
      },
      {},
    );

  it("`req.body` is the policy's own parse, and body parsers behind the guard leave it alone", async () => {
    const parsers: RequestHandler[] = [
      express.json(),
      express.urlencoded({ extended: true }),
      express.text({ type: "*/*" }),
      express.raw({ type: "*/*" }),
    ];
    const app = await served((one) => {
      one.use(parsers);
      one.post("/read", (req, res) =>
        res.json({ body: req.body as unknown, own: req.gatehouse?.body === req.body }),
      );
    });
    expect((await ask(app, `POST /read ${JSON_POST}`, TEXT)).text).toBe('{"body":{"name":"ann"},"own":true}');
  });

  it("a chunked body as well", async () => {
    const app = await served((one) => {
      one.use(express.json());
      one.post("/read", (req, res) => res.json(req.body));
    });
    const head = "POST /read HTTP/1.1\nContent-Type: application/json\nTransfer-Encoding: chunked";
    expect((await ask(app, head, `e\r\n${TEXT}\r\n0\r\n\r\n`)).text).toBe(TEXT);
  });

  it("where no rule reads it, body parsers do", async () => {
    const app = await served((one) => {
      one.use(express.json());
      one.post("/stream", (req, res) => res.json(req.body));
    });
    expect((await ask(app, `POST /stream ${JSON_POST}`, TEXT)).text).toBe(TEXT);
  });

  it("a body that a parser in front of the guard has read is refused where a rule reads it", async () => {
    const ran: string[] = [];
    const app = await served(
      (one) => {
        one.post("/read", () => ran.push("read"));
        one.post("/stream", (req, res) => res.json(req.body));
      },
      (one) => one.use(express.json()),
    );
    const answer = await ask(app, `POST /read ${JSON_POST}`, TEXT);
    expect([answer.status, (JSON.parse(answer.text) as { code: string }).code]).toEqual([
      500,
      "body-already-read",
    ]);
    expect([ran, app.events[0]?.stage, app.events[0]?.reason]).toEqual([
      [],
      "body",
      "the body was read before the policy could: put the guard in front of whatever parses bodies",
    ]);
    expect((await ask(app, `POST /stream ${JSON_POST}`, TEXT)).text).toBe(TEXT);
  });

  it("an asynchronous middleware in front of the guard takes nothing away", async () => {
    const app = await served(
      (one) => one.post("/read", (req, res) => res.json(req.body)),
      (one) => one.use((_req, _res, next) => void setTimeout(next, 5)),
    );
    expect((await ask(app, `POST /read ${JSON_POST}`, TEXT)).text).toBe(TEXT);
  });

  it("`req.query` is the validated one where the policy has a map, and express's where it has none", async () => {
    const app = await served((one) => {
      one.get("/typed", (req, res) => res.json(req.query));
      one.get("/untyped", (req, res) => res.json(req.query));
    });
    expect((await ask(app, "GET /typed?n=12 HTTP/1.1")).text).toBe('{"n":12}');
    expect((await ask(app, "GET /typed HTTP/1.1")).text).toBe('{"n":7}');
    expect((await ask(app, "GET /untyped?n=12 HTTP/1.1")).text).toBe('{"n":"12"}');
  });

  it("`req.principal` says who calls", async () => {
    const app = await serve(
      express,
      KEYED,
      (one, guard) => {
        one.use(guard);
        one.get("/who", (req, res) =>
          res.json([req.principal?.id, req.gatehouse?.principal === req.principal]),
        );
        one.get("/untyped", (req, res) => res.json([req.principal]));
      },
      {
        engine: { secrets: { get: () => KEYS } },
      },
    );
    expect((await ask(app, `GET /who HTTP/1.1\nX-Key: ${KEY}`)).text).toBe('["ann",true]');
    expect((await ask(app, "GET /untyped HTTP/1.1")).text).toBe("[null]");
  });
});
