/** The guard without a server: what it hands over, what it lets out, and that each exchange ends once. */
import { describe, expect, it } from "vitest";
import { guard, type GuardOptions } from "@gatehouse/fetch";
import { policyOf } from "../servers/wire.js";
import { engineOf, guarded } from "./support.js";

const CANARY = "canary-7f3a";
const SHAPE = { type: "object", properties: { id: { type: "string" } } };
const OPEN = policyOf({ "GET|HEAD /": {}, "POST /": { request: { types: ["text/plain"], maxBody: 1000 } } });
const RULED = policyOf({ "GET /": { response: { body: SHAPE } } });
const TEXT = { "Content-Type": "text/plain" };

/** Gives `chunks`, then waits for `more`, then ends. */
function slow(
  chunks: readonly string[],
  more: Promise<unknown>,
  cancelled: () => void,
): ReadableStream<Uint8Array> {
  const left = [...chunks];
  return new ReadableStream({
    pull: async (controller) => {
      const chunk = left.shift();
      if (chunk !== undefined) return controller.enqueue(new TextEncoder().encode(chunk));
      await more;
      controller.close();
    },
    cancel: cancelled,
  });
}

const never = new Promise<never>(() => undefined);

describe("answers", () => {
  it("a stream ends its exchange when it ends, and not before", async () => {
    let release = (): void => undefined;
    const more = new Promise<void>((resolve) => (release = resolve));
    const { fetch, events } = await guarded(OPEN, () => new Response(slow(["a"], more, () => undefined)));
    const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = (await fetch("/")).body?.getReader();
    expect((await reader?.read())?.value).toEqual(new TextEncoder().encode("a"));
    expect(events).toEqual([]);
    release();
    expect((await reader?.read())?.done).toBe(true);
    expect(events.map(({ status }) => status)).toEqual([200]);
  });

  it("a stream that nobody wants is cancelled, and ends its exchange", async () => {
    let cancelled = 0;
    const { fetch, events } = await guarded(
      OPEN,
      () => new Response(slow(["a"], never, () => void (cancelled += 1))),
    );
    await (await fetch("/")).body?.cancel();
    expect([cancelled, events.map(({ status }) => status)]).toEqual([1, [200]]);
  });

  it("a stream of events reads on while nothing of it leaves, and breaks behind what does", async () => {
    const policy = policyOf({ "GET /": { response: { events: SHAPE } } });
    const chunks = ["data: no\n\n", 'data: {"id"', `:"a"}\n\ndata: ${"1".repeat(2 ** 20)}`, "data: 1\n\n"];
    const { fetch, events, errors } = await guarded(
      policy,
      () =>
        new Response(
          slow(chunks, never, () => undefined),
          { headers: { "Content-Type": "text/event-stream" } },
        ),
    );
    const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = (await fetch("/")).body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('data: {"id":"a"}\n\n');
    const cut = "a stream of events was cut: an event is larger than 1048576 bytes";
    await expect(reader?.read()).rejects.toThrow(cut);
    expect([errors, events.map(({ status, error }) => [status, String(error)])]).toEqual([
      [cut],
      [[200, `Error: ${cut}`]],
    ]);
  });

  it("a stream that is left while its source is waited for is no failure", async () => {
    const { fetch, errors } = await guarded(OPEN, () => new Response(slow([], never, () => undefined)));
    const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = (await fetch("/")).body?.getReader();
    const reading = reader?.read();
    await reader?.cancel();
    await reading;
    await new Promise(setImmediate);
    expect(errors).toEqual([]);
  });

  it("an answer to HEAD has no body, and what the handler would have streamed is cancelled", async () => {
    let cancelled = 0;
    const { fetch, events } = await guarded(
      OPEN,
      () => new Response(slow(["a"], never, () => void (cancelled += 1))),
    );
    const response = await fetch("/", { method: "HEAD" });
    expect([response.body, cancelled, events.length]).toEqual([null, 1, 1]);
  });

  it("a client that leaves ends the exchange once, aborts the handler's signal, and cancels the answer", async () => {
    const left = new AbortController();
    let aborted = false;
    let cancelled = 0;
    const { fetch, events } = await guarded(OPEN, async (_request, { signal }) => {
      signal.addEventListener("abort", () => (aborted = true));
      left.abort();
      await Promise.resolve();
      return new Response(slow(["a"], never, () => void (cancelled += 1)));
    });
    await fetch("/", { signal: left.signal });
    expect([aborted, cancelled, events.map(({ status }) => status)]).toEqual([true, 1, [0]]);
  });

  it("a client that leaves while an answer is collected ends its source, which may have no end", async () => {
    const left = new AbortController();
    let cancelled = 0;
    const pull = (): Promise<never> => {
      left.abort();
      return never;
    };
    const { fetch, events } = await guarded(
      RULED,
      () =>
        new Response(new ReadableStream({ pull, cancel: () => void (cancelled += 1) }, { highWaterMark: 0 })),
    );
    await fetch("/", { signal: left.signal });
    expect([cancelled, events.map(({ status }) => status)]).toEqual([1, [0]]);
  });

  it("a client that has left before the decision keeps the handler from running", async () => {
    const ran: string[] = [];
    const { fetch, events } = await guarded(OPEN, () => new Response(String(ran.push("ran"))));
    await fetch("/", { signal: AbortSignal.abort() });
    expect([ran, events.map(({ status }) => status)]).toEqual([[], [0]]);
  });

  it.each<[string, string, () => ReadableStream<unknown>]>([
    ["more than it promised", "2", () => slow(["abc"], Promise.resolve(), () => undefined)],
    ["less than it promised", "9", () => slow(["abc"], Promise.resolve(), () => undefined)],
    ["no bytes", "9", () => new ReadableStream({ start: (c) => c.enqueue(CANARY) })],
  ])("a stream that gives %s is broken off", async (_what, length, body) => {
    const { fetch, events, errors } = await guarded(
      OPEN,
      () => new Response(body() as ReadableStream<Uint8Array>, { headers: { "Content-Length": length } }),
    );
    await expect((await fetch("/")).text()).rejects.toThrow(/answer/);
    expect([errors.length, events.length]).toEqual([1, 1]);
  });

  it("an answer beyond `responseLimit` is withheld where a rule needs the whole of it, and cancelled", async () => {
    let cancelled = 0;
    const { fetch, events } = await guarded(
      RULED,
      () => new Response(slow(['{"id":', '"1"'], never, () => void (cancelled += 1))),
      { responseLimit: 8 },
    );
    const response = await fetch("/");
    expect([response.status, cancelled, events.length]).toEqual([500, 1, 1]);
    expect(String(events[0]?.error)).toMatch(/larger than `responseLimit`/);
  });

  it("a thrown Response is an answer; `fail` is one in the policy's words", async () => {
    const thrown = await guarded(OPEN, () => {
      // oxlint-disable-next-line typescript/only-throw-error -- frameworks do so for redirects
      throw new Response(null, { status: 303, headers: { Location: "/x" } });
    });
    expect((await thrown.fetch("/")).status).toBe(303);
    const failed = await guarded(OPEN, (_request, { fail }) => fail(new Error(CANARY), 404));
    const response = await failed.fetch("/");
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([404, "not-found"]);
  });

  it.each([
    ["nothing", undefined],
    ["a value", { ok: true }],
    ["a network error", Response.error()],
  ])("%s is no answer", async (_what, result) => {
    const { fetch, events } = await guarded(OPEN, () => result as unknown as Response);
    expect((await fetch("/")).status).toBe(500);
    expect(events[0]?.error).toBeInstanceOf(TypeError);
  });

  it("one that was read already is none either", async () => {
    const { fetch } = await guarded(OPEN, async () => {
      const response = new Response(CANARY);
      await response.text();
      return response;
    });
    expect((await fetch("/")).status).toBe(500);
  });

  it("one that somebody is reading is none either, and the event tells", async () => {
    const { fetch, events } = await guarded(OPEN, () => {
      const response = new Response(CANARY);
      response.body?.getReader();
      return response;
    });
    expect((await fetch("/")).status).toBe(500);
    expect(events[0]?.error).toBeInstanceOf(TypeError);
  });

  it("observe mode keeps the reason phrase and every byte, also beyond `responseLimit`", async () => {
    const policy = { ...RULED, mode: "observe" as const };
    const { fetch, events } = await guarded(
      policy,
      () =>
        new Response(`{"id":"1","secret":"${CANARY}"}`, {
          statusText: "Fine",
          headers: { "Content-Type": "application/json" },
        }),
      { responseLimit: 8 },
    );
    const response = await fetch("/");
    expect([response.statusText, await response.text(), events.length]).toEqual([
      "Fine",
      `{"id":"1","secret":"${CANARY}"}`,
      1,
    ]);
  });
});

describe("bodies", () => {
  it("what no rule reads streams to the handler within the limit, whatever length was stated", async () => {
    const { fetch } = await guarded(OPEN, async (request) => new Response(await request.text()));
    expect(await (await fetch("/", { method: "POST", headers: TEXT, body: "hello" })).text()).toBe("hello");
    const lying = { ...TEXT, "Content-Length": "5" };
    expect((await fetch("/", { method: "POST", headers: lying, body: "x".repeat(1001) })).status).toBe(413);
    const honest = { ...TEXT, "Content-Length": "1001" };
    expect((await fetch("/", { method: "POST", headers: honest, body: "x".repeat(1001) })).status).toBe(413);
  });

  it("once an answer has begun, too much breaks it off", async () => {
    const { fetch, errors } = await guarded(OPEN, (request) => new Response(request.body));
    const response = await fetch("/", { method: "POST", headers: TEXT, body: "x".repeat(1001) });
    await expect(response.text()).rejects.toThrow("the body is larger than `maxBody`");
    expect(errors).toHaveLength(1);
  });

  it("B2: content that no field announces is content all the same", async () => {
    const { fetch } = await guarded(policyOf({ "POST /": {} }), () => new Response("ran"));
    const body = slow(["hello"], Promise.resolve(), () => undefined);
    const init = { method: "POST", headers: TEXT, body, duplex: "half" as const };
    // The types of the route are JSON: it would run if nobody saw the content.
    expect((await fetch("/", init)).status).toBe(415);
  });

  it("a client that leaves before the first of what no field announces is no fault", async () => {
    const policy = policyOf({ "POST /": { request: { body: { type: "object" } } } });
    const { fetch, events, errors } = await guarded(policy, () => new Response("ran"));
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error("gone")) });
    const headers = { "Content-Type": "application/json" };
    await fetch("/", { method: "POST", headers, body, duplex: "half" });
    expect([errors, events.map(({ status }) => status)]).toEqual([[], [0]]);
  });

  it("observe mode hands over every byte as sent, also beyond the limit", async () => {
    const policy = {
      ...policyOf({ "POST /": { request: { body: SHAPE, maxBody: 4 } } }),
      mode: "observe" as const,
    };
    const { fetch, events } = await guarded(policy, async (request) => new Response(await request.text()));
    const headers = { "Content-Type": "application/json" };
    const init = {
      method: "POST",
      headers: { ...headers, "Transfer-Encoding": "chunked" },
      body: '{ "id": "1" }',
    };
    expect(await (await fetch("/", init)).text()).toBe('{ "id": "1" }');
    expect(events[0]?.observed?.map(({ code }) => code)).toEqual(["body-too-large"]);
  });
});

describe("upgrades", () => {
  const SOCKET = policyOf({ "GET /": {}, "GET /socket": { upgrade: "websocket" } });
  const headers = { Connection: "Upgrade", Upgrade: "websocket" };
  /** No Response can be made with 101 but by the platform. */
  const switching = (): Response => Object.defineProperty(new Response(null), "status", { value: 101 });

  it("B2.34: one that no route allows never reaches the handler", async () => {
    const ran: string[] = [];
    const { fetch } = await guarded(SOCKET, () => new Response(String(ran.push("ran"))));
    expect([(await fetch("/", { headers })).status, ran]).toEqual([403, []]);
  });

  it("an allowed one gets the very Request that came, and its handshake leaves untouched", async () => {
    const { engine, events } = await engineOf(SOCKET);
    const request = new Request("http://a.test/socket", { headers });
    const response = switching();
    const handed: Request[] = [];
    const guardedFetch = guard(engine, (given) => {
      handed.push(given);
      return response;
    });
    expect(await guardedFetch(request)).toBe(response);
    expect(handed[0]).toBe(request);
    expect(events.map(({ status }) => status)).toEqual([101]);
    // As Bun's handlers do.
    expect(await guard(engine, () => undefined)(request)).toBeUndefined();
  });

  it("nobody switches protocols where the client did not ask", async () => {
    const { fetch } = await guarded(SOCKET, switching);
    expect((await fetch("/")).status).toBe(500);
  });
});

describe("what the server knows", () => {
  const LIMITED = policyOf(
    { "GET /": { limits: ["one"] } },
    { limits: { one: { limit: 1, window: "1m", by: "client.ip" } } },
  );

  it("a policy that reads the peer's address is refused without `remoteAddress`", async () => {
    const { engine } = await engineOf(LIMITED);
    expect(() => guard(engine, () => new Response())).toThrow(/needs-peer-address|does not tell the address/);
  });

  it("with it callers are told apart; what the server hands over reaches options and handler", async () => {
    const { engine } = await engineOf(LIMITED);
    const seen: string[] = [];
    const fetch = guard<[info: { ip: string }]>(
      engine,
      (_request, { client }, { ip }) => new Response(String(seen.push(`${String(client.ip)} ${ip}`))),
      { remoteAddress: (_request, { ip }) => ip },
    );
    const from = async (ip: string): Promise<number> =>
      (await fetch(new Request("http://a.test/"), { ip })).status;
    expect([await from("192.0.2.1"), await from("192.0.2.1"), await from("192.0.2.2")]).toEqual([
      200, 429, 200,
    ]);
    expect(seen).toEqual(["192.0.2.1 192.0.2.1", "192.0.2.2 192.0.2.2"]);
  });

  it("no header changes what is believed of the scheme; `encrypted` does", async () => {
    const policy = policyOf({ "GET /": {} }, { transport: { https: "require" } });
    const { engine } = await engineOf(policy);
    const request = (): Request =>
      new Request("https://a.test/", { headers: { "X-Forwarded-Proto": "https" } });
    expect((await guard(engine, () => new Response())(request())).status).toBe(403);
    for (const encrypted of [true, () => true] as const) {
      expect((await guard(engine, () => new Response(), { encrypted })(request())).status).toBe(200);
    }
  });

  it("a target that is another resource than the Request's is 500, and no handler runs", async () => {
    const ran: string[] = [];
    const { fetch, errors } = await guarded(
      policyOf({ "GET /*": {} }),
      () => new Response(String(ran.push("ran"))),
      {
        target: () => "/public",
      },
    );
    expect([(await fetch("/admin")).status, (await fetch("/public")).status, ran.length]).toEqual([
      500, 200, 1,
    ]);
    expect(errors[0]).toMatch(/^`target` gave a path that is not the one of `request.url`/);
  });

  it.each([
    ["http://a.test?a=/b", "/?a=/b", 200],
    ["http://evil.test?a=/b", "/?a=/b", 400],
    // A URL parser takes the host from behind as many slashes as there are.
    ["http:////a.test/", "/", 400],
    ["http://", "/", 400],
  ])("the target %s is the policy's to judge", async (target, path, status) => {
    const { fetch, errors } = await guarded(policyOf({ "GET /": {} }), () => new Response("ran"), {
      target: () => target,
    });
    expect([(await fetch(path)).status, errors]).toEqual([status, []]);
  });

  it("what throws while the server is asked is 500", async () => {
    const { fetch, errors } = await guarded(OPEN, () => new Response("ran"), {
      remoteAddress: () => {
        throw new Error("no socket");
      },
    });
    expect([(await fetch("/")).status, errors]).toEqual([500, ["no socket"]]);
  });
});

describe("options", () => {
  it.each<[string, unknown, string]>([
    ["a typo", { remoteAdress: () => "" }, "unknown option `remoteAdress`; did you mean `remoteAddress`?"],
    [
      "an unknown one",
      { trustProxy: true },
      "unknown option `trustProxy`; the options are remoteAddress, encrypted, target, mountPrefix, matching, app, inventory, responseLimit, onError",
    ],
    ["responseLimit", { responseLimit: -1 }, "`responseLimit` is not a whole number of bytes"],
    ["onError", { onError: 1 }, "`onError` is not a function"],
    ["remoteAddress", { remoteAddress: "192.0.2.1" }, "`remoteAddress` is not a function"],
    ["target", { target: "/" }, "`target` is not a function"],
    ["encrypted", { encrypted: "yes" }, "`encrypted` is neither a boolean nor a function"],
    [
      "mountPrefix",
      { mountPrefix: "/api/" },
      "`mountPrefix` is no path like `/api`, without a slash at its end",
    ],
    ["inventory", { inventory: "loud" }, "`inventory` is none of `warn`, `strict`, `off`"],
    ["inventory without app", { inventory: "strict" }, "`inventory` needs `app`, whose routes are compared"],
  ])("%s is refused", async (_what, options, message) => {
    const { engine } = await engineOf(OPEN);
    expect(() => guard(engine, () => new Response(), options as GuardOptions)).toThrow(
      new TypeError(message),
    );
  });

  it("how the framework matches is the core's to judge", async () => {
    const { engine } = await engineOf(OPEN);
    const options = { matching: { caseSensitve: true } } as unknown as GuardOptions;
    expect(() => guard(engine, () => new Response(), options)).toThrow(/`caseSensitve`/);
  });
});
