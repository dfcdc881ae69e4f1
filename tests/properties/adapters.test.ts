/** `adapters_agree` and `policy_and_framework_see_one_route`, over real sockets. */
import { createServer } from "node:http";
import { checkPolicy, createEngine, type PolicyDocument } from "@gatehouse/core";
import { exchangeOverSocket, virtualClock, type PreparedRequest } from "@gatehouse/core/conformance";
import { guard } from "@gatehouse/node-http";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { histories, policies } from "../model/arbitrary.js";
import { documentOf } from "../model/policy.js";
import { rawRequest } from "../model/raw.js";
import { find, NOW, SECRET } from "../model/world.js";
import { listen, stop } from "../node-http/target.js";
import { through } from "./support.js";

const runs = Number(process.env["GATEHOUSE_PROPERTY_RUNS"] ?? 40);
const ANSWER = { id: "1", secret: "s3cret" };

function usable(document: unknown): document is PolicyDocument {
  return checkPolicy(document).every(({ severity }) => severity !== "error");
}

/** Ids are each exchange's own, and these fields are the server's. */
const NOT_COMPARED = new Set(["date", "connection", "keep-alive", "x-request-id"]);
const IDS = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g;

interface Wire {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

/** What a client can tell apart. Where the core says no length (observe mode), framing is the server's. */
function comparable({ status, headers, body }: Wire, framed: boolean): unknown {
  const fields = headers
    .map(([name, value]) => `${name.toLowerCase()}: ${value}`)
    .filter((field) => !NOT_COMPARED.has(field.slice(0, field.indexOf(":"))))
    .filter((field) => framed || !/^(?:content-length|transfer-encoding):/.test(field))
    .sort();
  return { status, fields, body: body.replaceAll(IDS, "id") };
}

describe("adapters_agree", () => {
  it("node:http answers what the core decides, byte for byte", { timeout: 240_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(policies, histories, async (generated, steps) => {
        const document = documentOf({ ...generated, https: "off" });
        fc.pre(usable(document));
        const clock = virtualClock(NOW);
        const options = { clock, secrets: { get: () => SECRET }, lookups: { find } };
        const core = await createEngine(document, options);
        const served = await createEngine(document, options);
        const guarded = guard(served, (_req, _res, { send }) => send(ANSWER));
        const server = guarded.attach(createServer());
        const port = await listen(server);
        try {
          for (const { request, wait } of steps) {
            clock.advance(wait);
            const raw = { ...rawRequest({ ...request, https: false }), remoteAddress: "127.0.0.1" };
            const { decision, shaped } = await through(core, raw, { body: ANSWER });
            let expected: Wire =
              decision.outcome === "admit"
                ? {
                    status: shaped?.status ?? 0,
                    headers: shaped?.headers ?? [],
                    body: Buffer.from(shaped?.body ?? "").toString(),
                  }
                : {
                    status: decision.status,
                    headers: decision.responseHeaders,
                    body: decision.outcome === "refuse" ? decision.body : "",
                  };
            const answer = await exchangeOverSocket(port, prepared(raw));
            if (answer === undefined) throw new Error("no whole answer came");
            const framed = expected.headers.some(([name]) => name === "Content-Length");
            // HTTP itself cuts the body of an answer to HEAD.
            if (raw.method === "HEAD") expected = { ...expected, body: "" };
            const wire = { ...answer, body: answer.body.toString() };
            expect(comparable(wire, framed)).toEqual(comparable(expected, framed));
          }
        } finally {
          await stop(server);
          await Promise.all([core.close(), served.close()]);
        }
      }),
      { numRuns: runs },
    );
  });
});

function prepared(raw: ReturnType<typeof rawRequest>): PreparedRequest {
  const { headers } = raw;
  return {
    method: raw.method,
    target: raw.target,
    headers: headers as readonly (readonly [string, string])[],
    body: raw.body === "" ? undefined : Buffer.from(raw.body),
    ip: "127.0.0.1",
    https: false,
    httpVersion: "1.1",
    upgrade: false,
    clientCertificate: undefined,
  };
}

/** Routes that other routers confuse: an administrator's beside public ones. */
const OPEN = { authenticate: "none" } as const;
const routes: PolicyDocument = {
  gatehouse: 1,
  name: "routes",
  transport: { https: "off" },
  routes: {
    "GET /admin": OPEN,
    "GET /admin/users": OPEN,
    "GET /admin/:id": OPEN,
    "GET /public/*": OPEN,
    "GET /": OPEN,
    "GET /é": OPEN,
  },
};

/** As handlers read a path in the wild: by cutting at the query, and by a URL parser. */
const READERS: readonly ((target: string) => string)[] = [
  (target) => pathOf(target),
  (target) => decodeURIComponent(pathOf(target)),
  (target) => new URL(target, "http://a.test").pathname,
  (target) => decodeURIComponent(new URL(target, "http://a.test").pathname),
];

/** Whoever cuts at the query takes an absolute-form target for a path that no route has: refused there, never mistaken. */
function pathOf(target: string): string {
  // Admitted means that its host is the request's own, with a trailing dot or without.
  const rest = target.replace(/^http:\/\/[^/?#]*/, "");
  const path = rest.split("?")[0] ?? "";
  return path === "" ? "/" : path;
}

/** The tiniest router: the route whose pattern fits, told by the path alone. */
function naive(path: string): string {
  if (path === "/") return "GET /";
  if (path === "/é" || path.toLowerCase() === "/%c3%a9") return "GET /é";
  if (path === "/admin") return "GET /admin";
  if (path === "/admin/users") return "GET /admin/users";
  const [, first, second, ...more] = path.split("/");
  if (first === "admin" && second !== undefined && second !== "" && more.length === 0)
    return "GET /admin/:id";
  if (first === "public" && second !== undefined && (second !== "" || more.length > 0))
    return "GET /public/*";
  return `none for ${path}`;
}

const SPELLINGS =
  "/ // \\ %2f %2F %5c . .. %2e %2E%2e %252e ; %3b ;x=1 #x %00 %20 % admin ADMIN %61dmin admi%6E users public x a%20b " +
  "%c3%a9 %c0%80 ? ?a=/admin http://a.test http://evil.test //evil.test http://a.test@evil.test";
const spelling = fc.constantFrom(...SPELLINGS.split(" "));
const target = fc.array(spelling, { minLength: 1, maxLength: 7 }).map((parts) => parts.join(""));

describe("policy_and_framework_see_one_route", () => {
  it(
    "whoever reads the target of an admitted request reads the policy's route",
    { timeout: 120_000 },
    async () => {
      const engine = await createEngine(routes);
      let ran: { route: string; url: string } | undefined;
      const guarded = guard(engine, (req, res, { route }) => {
        ran = { route: route ?? "", url: req.url ?? "" };
        res.end();
      });
      const server = guarded.attach(createServer());
      const port = await listen(server);
      let admitted = 0;
      try {
        await fc.assert(
          fc.asyncProperty(
            fc.oneof(
              target,
              target.map((rest) => `/${rest}`),
              target.map((rest) => `/admin${rest}`),
            ),
            async (sent) => {
              // A blank would end the target on the request line, and a client could not send it.
              fc.pre(/^[\x21-\x7e]+$/.test(sent));
              ran = undefined;
              await exchangeOverSocket(
                port,
                prepared({ method: "GET", target: sent, headers: [["Host", "a.test"]], body: "" }),
              );
              if (ran === undefined) return;
              admitted += 1;
              const { route, url } = ran as { route: string; url: string };
              for (const read of READERS) expect([sent, naive(read(url))]).toEqual([sent, route]);
            },
          ),
          { numRuns: runs * 25 },
        );
      } finally {
        await stop(server);
        await engine.close();
      }
      // Refusing everything would agree with everybody.
      expect(admitted).toBeGreaterThan(5);
    },
  );
});
