/** Streams of events under `response.events`: what leaves, what is dropped, and what the operator is told. */
import { fc, it as property } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { createEngine } from "../engine.js";
import type { Exchange } from "../exchange.js";
import type { DecisionEvent } from "../model/decision.js";
import type { PolicyDocument, RouteSettings } from "../model/policy.js";
import type { HeaderField } from "../model/request.js";
import type { ShapedResponse } from "../model/response.js";
import { MAX_EVENT } from "./event-reader.js";

const ENCODER = new TextEncoder();
const STREAM: HeaderField = ["Content-Type", "text/event-stream"];
const ORDER = {
  type: "object",
  properties: {
    id: { type: "integer" },
    note: { type: "string" },
    by: { type: "object", properties: { name: { type: "string" } } },
  },
};

type Response = RouteSettings["response"];

interface Opened {
  readonly exchange: Exchange;
  readonly events: DecisionEvent[];
}

async function open(response: Response, rest: Partial<PolicyDocument> = {}, method = "GET"): Promise<Opened> {
  const events: DecisionEvent[] = [];
  const document: PolicyDocument = {
    gatehouse: 1,
    name: "test",
    transport: { https: "off" },
    ...rest,
    routes: { "GET /": { authenticate: "none", ...(response === undefined ? {} : { response }) } },
  };
  const engine = await createEngine(document, { onDecision: (event) => void events.push(event) });
  const exchange = engine.open({
    method,
    target: "/",
    headers: [["Host", "a.test"]],
    remoteAddress: "127.0.0.1",
    encrypted: false,
  });
  await exchange.head();
  return { exchange, events };
}

interface Left {
  readonly text: string;
  readonly reports: readonly string[];
}

async function stream(
  response: Response,
  chunks: readonly (string | Uint8Array)[],
  rest: Partial<PolicyDocument> = {},
): Promise<Left> {
  const { exchange, events } = await open(response, rest);
  exchange.respond({ status: 200, headers: [STREAM] });
  let text = "";
  const decoder = new TextDecoder();
  for (const chunk of chunks) {
    const bytes = typeof chunk === "string" ? ENCODER.encode(chunk) : chunk;
    text += decoder.decode(exchange.event(bytes), { stream: true });
  }
  exchange.end(200);
  return { text, reports: events[0]?.reports ?? [] };
}

const field = ({ headers }: ShapedResponse, name: string): string[] =>
  headers.filter(([other]) => other.toLowerCase() === name).map(([, value]) => value);

describe("one event after the other", () => {
  it("what is not declared does not leave, whatever the lines say", async () => {
    const { text, reports } = await stream({ events: ORDER }, [
      ': canary\nevent: order\nid: 7\nretry: 100\ndata: {"id":1,\ndata: "canary":2}\ncanary: canary\n\n',
    ]);
    expect(text).toBe(':\n\nevent: order\ndata: {"id":1}\nid: 7\nretry: 100\n\n');
    expect(reports).toEqual([]);
  });

  it("an event leaves with the chunk that ends it", async () => {
    const { exchange } = await open({ events: ORDER });
    exchange.respond({ status: 200, headers: [STREAM] });
    const said = ['data: {"id":1}', "\n", "\n", 'data: {"id":2}\n\ndata: {'].map((chunk) => {
      const bytes = exchange.event(ENCODER.encode(chunk));
      return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
    });
    expect(said).toEqual([undefined, undefined, 'data: {"id":1}\n\n', 'data: {"id":2}\n\n']);
  });

  it("an event without data still says where to go on, and when; its name alone is nothing", async () => {
    const { text } = await stream({ events: ORDER }, ["event: x\nid: 5\n\n", "retry: 9\n\n", "event: x\n\n"]);
    expect(text).toBe("id: 5\n\nretry: 9\n\n");
  });

  it("what is no JSON is dropped with all of its fields, and counted", async () => {
    const { text, reports } = await stream({ events: ORDER }, [
      "id: 1\nretry: 5\ndata: canary\n\n",
      "data: [DONE]\n\ndata\n\n",
      Uint8Array.from([...ENCODER.encode("data: {}\nid: "), 0xff, 0x0a, 0x0a]),
      'data: {"id":2}\n\n',
    ]);
    expect(text).toBe('data: {"id":2}\n\n');
    expect(reports).toEqual([
      "events dropped: 3, because its data is not JSON",
      "events dropped: 1, because it is not UTF-8",
    ]);
  });

  it("the last event is dropped when its stream does not end it", async () => {
    expect((await stream({ events: ORDER }, ['data: {"id":1}\n'])).text).toBe("");
  });

  it.each<[string, Response, string, readonly string[]]>([
    [
      "report: a scalar leaves, once told",
      { events: ORDER },
      'data: {"id":"x"}\n\ndata: {"id":"x"}\n\n',
      ["response: the value declared at /routes/GET ~1/response/events/properties/id has another shape"],
    ],
    [
      "report: an event of another shape never leaves",
      { events: ORDER },
      "",
      [
        "response: the value declared at /routes/GET ~1/response/events has another shape",
        "events dropped: 2, because the answer is not of the shape declared at /routes/GET ~1/response/events",
      ],
    ],
    [
      "withhold: the event is dropped",
      { events: ORDER, onMismatch: "withhold" },
      "",
      [
        "events dropped: 2, because the value declared at /routes/GET ~1/response/events/properties/id has another shape",
      ],
    ],
  ])("onMismatch %s", async (_name, response, text, reports) => {
    const value =
      text === "" && typeof response === "object" && response.onMismatch === undefined ? "[1]" : '{"id":"x"}';
    expect(await stream(response, [`data: ${value}\n\n`.repeat(2)])).toEqual({ text, reports });
  });

  it("redacts by pointer and by keyword, encodes and sanitizes as it does bodies", async () => {
    const { text } = await stream(
      {
        events: { ...ORDER, properties: { ...ORDER.properties, id: { type: "integer", redact: "mask" } } },
        redact: { "/by/name": "remove" },
        sanitize: { "/note": "text" },
        encode: true,
      },
      ['data: {"id":1,"note":"<b>a</b> & b","by":{"name":"canary"}}\n\n'],
    );
    expect(text).toBe('data: {"id":"***","note":"a \\u0026 b","by":{}}\n\n');
  });

  it("an event that is redacted as a whole does not leave", async () => {
    const { text, reports } = await stream({ events: { ...ORDER, redact: "remove" } }, [
      'data: {"id":1}\n\n',
    ]);
    expect([text, reports]).toEqual(["", []]);
  });

  it("an event beyond the bound breaks the stream; what came before it leaves, nothing behind it", async () => {
    const { exchange, events } = await open({ events: ORDER });
    exchange.respond({ status: 200, headers: [STREAM] });
    const left = exchange.event(ENCODER.encode(`data: {"id":1}\n\ndata: "${"x".repeat(MAX_EVENT)}`));
    expect(new TextDecoder().decode(left)).toBe('data: {"id":1}\n\n');
    const message = "a stream of events was cut: an event is larger than 1048576 bytes";
    expect(exchange.brokenStream?.message).toBe(message);
    expect(exchange.event(ENCODER.encode('"\n\ndata: {"id":2}\n\n'))).toBeUndefined();
    exchange.end(200);
    expect(String(events[0]?.error)).toBe(`Error: ${message}`);
  });

  it("what is dropped again and again is told in the same room", async () => {
    const { reports } = await stream({ events: ORDER }, ['data: no\n\ndata: {"id":"x"}\n\n'.repeat(10_000)]);
    expect(reports).toEqual([
      "response: the value declared at /routes/GET ~1/response/events/properties/id has another shape",
      "events dropped: 10000, because its data is not JSON",
    ]);
  });
});

describe("the head", () => {
  it("keeps what speaks of a stream, and drops what speaks of the handler's bytes", async () => {
    const { exchange } = await open({ events: ORDER }, { headers: { "Cache-Control": "no-store" } });
    const head = {
      status: 200,
      headers: [
        ["content-type", "Text/Event-Stream; charset=utf-8"],
        ["Content-Length", "9"],
        ["ETag", '"x"'],
        ["Trailer", "X-Sum"],
        ["Content-Encoding", "identity"],
        ["Cache-Control", "no-cache"],
        ["X-Accel-Buffering", "no"],
      ] as const,
    };
    expect([exchange.headSettles(head), exchange.streamsEvents]).toEqual([true, false]);
    const shaped = exchange.respond(head);
    expect([shaped.status, shaped.body, exchange.streamsEvents]).toEqual([200, undefined, true]);
    for (const gone of ["content-length", "etag", "trailer", "content-encoding"])
      expect(field(shaped, gone)).toEqual([]);
    expect(field(shaped, "content-type")).toEqual(["Text/Event-Stream; charset=utf-8"]);
    expect(field(shaped, "x-accel-buffering")).toEqual(["no"]);
    expect(field(shaped, "cache-control").join()).toContain("no-store");
  });

  it.each<[string, Response, number, readonly HeaderField[], string]>([
    [
      "without a schema for it",
      { body: ORDER },
      200,
      [STREAM],
      "a body rule applies to a stream of events: `response.events` says what leaves",
    ],
    [
      "without one, under redaction alone",
      { redact: { "/id": "mask" } },
      200,
      [STREAM],
      "a body rule applies to a stream of events: `response.events` says what leaves",
    ],
    [
      "that is coded",
      { events: ORDER },
      200,
      [STREAM, ["Content-Encoding", "gzip"]],
      "a stream of events has a Content-Encoding: compress behind the policy",
    ],
    ["that is a part", { events: ORDER }, 206, [STREAM], "a part of a stream of events cannot be read"],
    [
      "that says two types",
      { events: ORDER },
      200,
      [STREAM, ["Content-Type", "text/plain"]],
      "a stream of events has a second Content-Type",
    ],
    [
      "that says two types in one field",
      { events: ORDER },
      200,
      [["Content-Type", "text/plain, text/event-stream"]],
      "a stream of events has a second Content-Type",
    ],
  ])("a stream is withheld %s", async (_name, response, status, headers, reason) => {
    const { exchange, events } = await open(response);
    expect(exchange.headSettles({ status, headers })).toBe(true);
    const shaped = exchange.respond({ status, headers });
    expect(shaped.status).toBe(500);
    expect(JSON.parse(Buffer.from(shaped.body ?? "").toString())).toMatchObject({
      code: "unreadable-response",
    });
    expect(exchange.streamsEvents).toBe(false);
    expect(() => exchange.event(ENCODER.encode("data: canary\n\n"))).toThrow("event() is only for");
    exchange.end(500);
    expect(events[0]?.reports).toEqual([`response withheld: ${reason}`]);
  });

  it("a value is no stream of events", async () => {
    const { exchange } = await open({ events: ORDER });
    const shaped = exchange.respond({ status: 200, headers: [STREAM], body: { canary: 1 } });
    expect([
      shaped.status,
      Buffer.from(shaped.body ?? "")
        .toString()
        .includes("canary"),
    ]).toEqual([500, false]);
  });

  it.each([
    ["another type", 200, ["Content-Type", "application/json"]],
    ["no body", 204, STREAM],
    ["not modified", 304, STREAM],
  ] as const)("is not settled by %s", async (_name, status, type) => {
    const { exchange } = await open({ events: ORDER, body: ORDER });
    expect(exchange.headSettles({ status, headers: [type] })).toBe(false);
    exchange.respond({ status, headers: [type] });
    expect(exchange.streamsEvents).toBe(false);
  });

  it("other answers of the route follow the body's schema, or pass where there is none", async () => {
    const answer = {
      status: 200,
      headers: [["Content-Type", "application/json"]] as const,
      body: '{"id":1,"x":2}',
    };
    const bodies = [];
    for (const response of [{ events: ORDER, body: ORDER }, { events: ORDER }]) {
      bodies.push(textOf((await open(response)).exchange.respond(answer)));
    }
    expect(bodies).toEqual(['{"id":1}', '{"id":1,"x":2}']);
  });

  it("a server error is replaced as ever", async () => {
    const { exchange } = await open({ events: ORDER });
    const shaped = exchange.respond({ status: 503, headers: [STREAM] });
    expect([shaped.status, exchange.streamsEvents]).toEqual([503, false]);
  });

  it("HEAD is told what GET would be", async () => {
    const { exchange } = await open({ events: ORDER }, {}, "HEAD");
    const shaped = exchange.respond({ status: 200, headers: [STREAM] });
    expect([shaped.status, shaped.body, field(shaped, "content-length")]).toEqual([200, undefined, []]);
  });

  it("where nothing leaves, events leave if a nearer level says so, and nothing else", async () => {
    const closed: Partial<PolicyDocument> = { defaults: { response: false } };
    expect((await stream({ events: ORDER }, ['data: {"id":1,"x":2}\n\n'], closed)).text).toBe(
      'data: {"id":1}\n\n',
    );
    const { exchange } = await open({ events: ORDER }, closed);
    expect(exchange.respond({ status: 200, headers: [], body: { id: 1 } }).body).toBeUndefined();
    const shut = await open(false, { defaults: { response: { events: ORDER } } });
    shut.exchange.respond({ status: 200, headers: [STREAM] });
    expect(shut.exchange.streamsEvents).toBe(false);
  });
});

describe("an answer that is there as a whole", () => {
  it.each([
    ["text", 'data: {"id":1,"canary":2}\n\ndata: {"id":2}'],
    ["bytes", ENCODER.encode('data: {"id":1,"canary":2}\n\ndata: {"id":2}')],
  ])("%s leaves as its events would", async (_name, body) => {
    const { exchange } = await open({ events: ORDER, body: ORDER });
    const shaped = exchange.respond({ status: 200, headers: [STREAM, ["ETag", '"x"']], body });
    expect(new TextDecoder().decode(shaped.body as Uint8Array)).toBe('data: {"id":1}\n\n');
    expect([field(shaped, "content-length"), field(shaped, "etag")]).toEqual([["16"], []]);
  });

  it("is withheld where an event is too large", async () => {
    const { exchange } = await open({ events: ORDER });
    const body = `data: {"id":1}\n\ndata: ${"1".repeat(MAX_EVENT)}\n\n`;
    expect(exchange.respond({ status: 200, headers: [STREAM], body }).status).toBe(500);
  });
});

describe("observe mode", () => {
  const observing: Partial<PolicyDocument> = { mode: "observe" };

  it("every byte leaves as it was written, and what would have been dropped or cut is told", async () => {
    const text = ': hi\ndata: {"id":1,"x":2}\n\ndata: no\n\ndata: {"id":1}\n\ndata: ';
    expect(await stream({ events: ORDER, body: ORDER }, [text], observing)).toEqual({
      text,
      reports: [
        "events that would have been dropped: 1, because its data is not JSON",
        "events that would have been cut: 1",
      ],
    });
  });

  it("a whole answer too", async () => {
    const { exchange, events } = await open({ events: ORDER }, observing);
    const body = 'data: {"id":1,"x":2}\n\n';
    expect(exchange.respond({ status: 200, headers: [STREAM], body }).body).toBe(body);
    exchange.end(200);
    expect(events[0]?.reports).toEqual(["events that would have been cut: 1"]);
  });

  it("one that would have been withheld", async () => {
    const { exchange, events } = await open({ body: ORDER }, observing);
    expect(exchange.respond({ status: 200, headers: [STREAM] })).toEqual({
      status: 200,
      headers: [STREAM],
      body: undefined,
    });
    exchange.end(200);
    expect(events[0]?.reports).toEqual([
      "the response rule would have withheld the body: a body rule applies to a stream of events: `response.events` says what leaves",
    ]);
  });

  it("an event beyond the bound ends the looking, not the stream", async () => {
    const { exchange, events } = await open({ events: ORDER }, observing);
    exchange.respond({ status: 200, headers: [STREAM] });
    const chunk = ENCODER.encode("x".repeat(MAX_EVENT + 1));
    // Not compared member by member.
    expect([chunk, chunk].every((one) => exchange.event(one) === one)).toBe(true);
    expect(exchange.brokenStream).toBeUndefined();
    exchange.end(200);
    expect([events[0]?.error, events[0]?.reports]).toEqual([
      undefined,
      ["the response rule would have cut a stream of events: an event is larger than 1048576 bytes"],
    ]);
  });
});

const VALUE = fc.oneof(
  fc.record(
    {
      id: fc.oneof(fc.integer(), fc.string()),
      note: fc.string({ unit: "binary" }),
      secret: fc.constant("CANARY"),
    },
    { requiredKeys: [] },
  ),
  fc.jsonValue(),
);

const opened = open({ events: ORDER, body: ORDER });

function textOf({ body = "" }: ShapedResponse): string {
  return typeof body === "string" ? body : new TextDecoder().decode(body);
}

property.prop([fc.array(VALUE, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 12 })], { numRuns: 300 })(
  "each event leaves as the same value would as a body, however its bytes are cut",
  async (values, cuts) => {
    const bytes = ENCODER.encode(
      values.map((value) => `data: ${JSON.stringify(value)}\n: CANARY\n\n`).join(""),
    );
    const places = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
    const chunks = places.map((end, index) => bytes.subarray(places[index - 1] ?? 0, end));
    const { exchange } = await opened;
    exchange.respond({ status: 200, headers: [STREAM] });
    const decoder = new TextDecoder();
    const text = chunks.map((chunk) => decoder.decode(exchange.event(chunk))).join("");
    const expected = values.flatMap((body) => {
      const shaped = exchange.respond({ status: 200, headers: [], body: JSON.stringify(body) });
      return shaped.status === 200 ? [textOf(shaped)] : [];
    });
    expect(text.replaceAll(":\n\n", "")).toBe(expected.map((json) => `data: ${json}\n\n`).join(""));
    expect(text).not.toContain("CANARY");
  },
);
