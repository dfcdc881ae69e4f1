/** What a handler may do to its answer that no honest handler would: written down, so that it can be shrunk and done again. */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import * as fc from "fast-check";
import type { Fields, Turn } from "../suite.js";

/** One thing that a handler does. The first word names it. */
export type Step =
  | readonly ["status", number]
  | readonly ["set" | "append", string, string | readonly string[]]
  | readonly ["remove", string]
  | readonly ["head", number, readonly (readonly [string, string | readonly string[]])[], "record" | "list"]
  | readonly ["write", Text]
  | readonly ["end", Text | undefined]
  | readonly ["answer", number, Fields, Text | "object" | undefined]
  | readonly ["stream", number, Fields, readonly Text[], boolean]
  | readonly ["trailers", [string, string][]]
  | readonly ["property", "strictContentLength" | "sendDate" | "shouldKeepAlive", boolean]
  | readonly ["fail", unknown]
  | readonly [Bare];

const BARE = [
  "hints",
  "processing",
  "continue",
  "flush",
  "cork",
  "uncork",
  "tick",
  "turn",
  "read",
  "destroy",
  "destroy with an error",
  "destroy the socket",
  "destroy the request",
] as const;
type Bare = (typeof BARE)[number];

/** Each tells whose it is, and under the body rule what must not leave. */
const TEXTS = ["", "mark", "json", "json begun", "json ended", "an answer", "much"] as const;
type Text = (typeof TEXTS)[number];

export interface Play {
  readonly steps: readonly Step[];
  /** When the answer should be over, and another may be on its way. */
  readonly late: readonly Step[];
  /** Goes on behind what Node refused. */
  readonly swallows: boolean;
  /** By Node's own response; else by what the framework offers. */
  readonly raw: boolean;
}

export const SECRET = "canary-7f3a";

export function markOf(id: number): string {
  return `[[${id}]]`;
}

function textOf(text: Text, id: number): string {
  const json = JSON.stringify({ id: markOf(id), secret: SECRET });
  if (text === "mark") return markOf(id);
  if (text === "json") return json;
  if (text === "json begun") return json.slice(0, 9);
  if (text === "json ended") return json.slice(9);
  if (text === "an answer")
    return `HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-Smuggled: ${markOf(id)}\r\n\r\nabc`;
  return text === "much" ? markOf(id).repeat(5000) : "";
}

const STATUSES = [200, 200, 200, 200, 201, 204, 205, 206, 304, 404, 500, 599];
const ODD_STATUSES = [100, 101, 102, 103, 199, 600, 999, 99, 1000, 0, 200.5, Number.NaN];
const status = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...STATUSES) },
  fc.constantFrom(...ODD_STATUSES),
);

const LENGTHS = [
  "0",
  "3",
  "5",
  "46",
  "70",
  "abc",
  "1e1",
  "0x10",
  "-1",
  "+5",
  "5, 5",
  "5,6",
  " 5",
  "",
  "05",
  "5.0",
];
const CODINGS = [
  "chunked",
  "Chunked",
  "identity",
  "gzip",
  "gzip, chunked",
  "chunked, chunked",
  "xchunked",
  "chunked;q=1",
  "",
];
type Field = readonly [string, string | readonly string[]];
const field: fc.Arbitrary<Field> = fc.oneof(
  fc.constantFrom(...LENGTHS).map((value): Field => ["Content-Length", value]),
  fc.constantFrom(...CODINGS).map((value): Field => ["Transfer-Encoding", value]),
  fc.constantFrom<Field>(
    ["content-length", ["3", "5"]],
    ["Content-Length", ["5", "5"]],
    ["transfer-encoding", ["chunked", "identity"]],
    ["Trailer", "x-sum"],
    ["Trailer", "content-length, x-sum"],
    ["Connection", "close"],
    ["Connection", "keep-alive"],
    ["Connection", "upgrade"],
    ["Connection", "keep-alive, x-own"],
    ["Connection", ["keep-alive", "close"]],
    ["Keep-Alive", "timeout=100000"],
    ["Upgrade", "h2c"],
    ["Proxy-Connection", "keep-alive"],
    ["TE", "trailers"],
    ["Date", "yesterday"],
  ),
  fc.constantFrom<Field>(
    ["Content-Type", "application/json"],
    ["Content-Type", "text/html; charset=utf-8"],
    ["Content-Type", "text/event-stream"],
    ["Content-Type", "multipart/byteranges; boundary=x"],
    ["Content-Encoding", "gzip"],
    ["Content-Range", "bytes 0-3/9"],
    ["ETag", '"a"'],
    ["Set-Cookie", ["a=1", "b=2"]],
    ["Vary", "*"],
    ["X-Of-The-Policy", "theirs"],
    ["X-Content-Type-Options", "theirs"],
    ["Status", "200"],
    ["X-Latin", "caf\u00e9"],
  ),
  // What Node refuses to write, each in its own way.
  fc.constantFrom<Field>(
    ["X-Broken", "a\r\nX-Injected: b"],
    ["X-Broken", "\u0100"],
    ["X-Broken", ["a", "b\nc"]],
    ["X Broken", "a"],
    ["", "a"],
    ["X-Broken:", "a"],
  ),
);
const fields = fc.array(field, { maxLength: 4 });
const text = fc.constantFrom(...TEXTS);
const trailers = fc.subarray<[string, string]>(
  [
    ["X-Sum", "1"],
    ["Content-Length", "0"],
    ["X-Other", SECRET],
    ["X-Broken", "a\r\nb"],
  ],
  { minLength: 1 },
);

const merged = fields.map((list): Fields => Object.fromEntries(list));
const withoutTrailers = fields.map((list): Fields =>
  Object.fromEntries(list.filter(([name]) => name !== "Trailer")),
);
/** Headers of fetch take no others: what stands in a record once, as text. */
const body = fc.constantFrom<Text | "object" | undefined>(...TEXTS, "object", "object", undefined);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: status.map((value): Step => ["status", value]) },
  { weight: 4, arbitrary: field.map(([name, value]): Step => ["set", name, value]) },
  { weight: 1, arbitrary: field.map(([name, value]): Step => ["append", name, value]) },
  { weight: 1, arbitrary: field.map(([name]): Step => ["remove", name]) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(status, fields, fc.constantFrom("record" as const, "list" as const))
      .map(([code, list, form]): Step => ["head", code, list, form]),
  },
  { weight: 5, arbitrary: text.map((value): Step => ["write", value]) },
  { weight: 4, arbitrary: fc.option(text, { nil: undefined }).map((value): Step => ["end", value]) },
  { weight: 1, arbitrary: trailers.map((list): Step => ["trailers", list]) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom("strictContentLength" as const, "sendDate" as const, "shouldKeepAlive" as const),
        fc.boolean(),
      )
      .map(([name, value]): Step => ["property", name, value]),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(new Error("broken"), undefined, null, 0).map((error): Step => ["fail", error]),
  },
  { weight: 3, arbitrary: fc.constantFrom(...BARE).map((name): Step => [name]) },
);

const idiom: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(status, merged, body)
      .map(([code, list, value]): Step => ["answer", code, list, value]),
  },
  {
    weight: 3,
    arbitrary: fc
      // Where a stream is what writes the head, what Node throws can be caught by nobody: for a status that is none, for trailers and a length.
      .tuple(fc.constantFrom(...STATUSES), withoutTrailers, fc.array(text, { maxLength: 3 }), fc.boolean())
      .map(([code, list, pieces, breaks]): Step => ["stream", code, list, pieces, breaks]),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Step>(["tick"], ["turn"], ["read"], ["fail", new Error("broken")]),
  },
);

/** @param raw handlers have a way to Node's own response */
export function plays(raw: boolean): fc.Arbitrary<Play> {
  const late = fc.oneof(
    { weight: 2, arbitrary: fc.constant<readonly Step[]>([]) },
    { weight: 1, arbitrary: fc.array(step, { minLength: 1, maxLength: 3 }) },
  );
  const byFramework = fc.record({
    steps: fc.array(idiom, { minLength: 1, maxLength: 2 }),
    late: raw ? late : fc.constant<readonly Step[]>([]),
    swallows: fc.boolean(),
    raw: fc.constant(false),
  });
  if (!raw) return byFramework;
  const byHand = fc.record({
    steps: fc.array(step, { minLength: 1, maxLength: 7 }),
    late,
    swallows: fc.boolean(),
    raw: fc.constant(true),
  });
  return fc.oneof({ weight: 3, arbitrary: byHand }, { weight: 1, arbitrary: byFramework });
}

/**
 * @param alone the framework lets go of a response that was taken from it, and ends it for nobody. Node stops reading where much waits
 * behind an answer without an end, and never learns that the client left.
 * @returns what the framework is to go on with
 */
export async function perform(play: Play, turn: Turn, id: number, alone: boolean): Promise<unknown> {
  if (play.late.length > 0) afterwards(play, turn, id, alone);
  if (!play.raw || !alone) return performed(play, turn, id);
  return performed(play, turn, id).catch((error: unknown) => {
    giveUp(turn.raw().res);
    throw error;
  });
}

async function performed(play: Play, turn: Turn, id: number): Promise<unknown> {
  let answered: unknown;
  const each = async (one: Step): Promise<void> => {
    const value = await take(one, turn, id);
    if (value !== undefined) answered = value;
  };
  for (const one of play.steps) {
    if (play.swallows) await each(one).catch(() => undefined);
    else await each(one);
  }
  if (play.raw) finish(turn.raw().res);
  else if (answered === undefined) return turn.answer(200, {}, markOf(id));
  return answered;
}

/** Nobody waits for an answer that never comes. */
function finish(res: ServerResponse): void {
  if (!res.writableEnded && !res.destroyed) res.end();
}

function giveUp(res: ServerResponse): void {
  try {
    finish(res);
  } catch {
    res.destroy();
  }
}

function afterwards(play: Play, turn: Turn, id: number, alone: boolean): void {
  const late = async (): Promise<void> => {
    for (const one of play.late) await take(one, turn, id).catch(() => undefined);
    if (alone) giveUp(turn.raw().res);
  };
  // By then the answer is out, or the handler is at it.
  setImmediate(() => setImmediate(() => void late()));
}

async function take(one: Step, turn: Turn, id: number): Promise<unknown> {
  switch (one[0]) {
    case "tick":
      await Promise.resolve();
      return undefined;
    case "turn":
      await new Promise((resolve) => setImmediate(resolve));
      return undefined;
    case "read":
      return void (await turn.read());
    case "fail":
      // What is no error is thrown too.
      throw one[1];
    case "answer":
      return turn.answer(one[1], one[2], one[3] === undefined ? undefined : bodyOf(one[3], id));
    case "stream":
      return turn.stream(one[1], one[2], pieces(one[3], one[4], id));
    default:
      await native(one as Native, turn, id);
      return undefined;
  }
}

function bodyOf(body: Text | "object", id: number): unknown {
  return body === "object" ? { id: markOf(id), secret: SECRET } : textOf(body, id);
}

async function* pieces(texts: readonly Text[], breaks: boolean, id: number): AsyncGenerator<string> {
  for (const one of texts) {
    await Promise.resolve();
    yield textOf(one, id);
  }
  if (breaks) throw new Error("broken midway");
}

type Native =
  | Exclude<Step, readonly ["answer" | "stream" | "fail", ...unknown[]] | readonly [Bare]>
  | readonly [Exclude<Bare, "tick" | "turn" | "read">];

async function native(one: Native, turn: Turn, id: number): Promise<void> {
  const { req, res } = turn.raw();
  // Fastify takes its own listener off an answer that is over.
  if (res.listenerCount("error") === 0) res.on("error", () => undefined);
  switch (one[0]) {
    case "status":
      res.statusCode = one[1];
      return;
    case "set":
      res.setHeader(one[1], one[2]);
      return;
    case "append":
      res.appendHeader(one[1], one[2]);
      return;
    case "remove":
      return res.removeHeader(one[1]);
    case "head":
      if (one[3] === "record") res.writeHead(one[1], Object.fromEntries(one[2]) as Record<string, string>);
      else
        res.writeHead(
          one[1],
          one[2].flatMap(([name, value]) => [name, value as string]),
        );
      return;
    case "write":
      return void res.write(textOf(one[1], id));
    case "end":
      return void (one[1] === undefined ? res.end() : res.end(textOf(one[1], id)));
    case "trailers":
      return res.addTrailers(one[1]);
    case "property":
      res[one[1]] = one[2];
      return;
    case "hints":
      return res.writeEarlyHints({ link: `</${SECRET}>; rel=preload` });
    case "processing":
      return res.writeProcessing();
    case "continue":
      return res.writeContinue();
    case "flush":
      return res.flushHeaders();
    case "cork":
      // Behind its end it holds all later answers of the connection back, without a guard too, and nobody lets go of them: see `perform`.
      if (!res.writableEnded) res.cork();
      return;
    case "uncork":
      return res.uncork();
    case "destroy":
      return void res.destroy();
    case "destroy with an error":
      return void res.destroy(new Error("broken"));
    case "destroy the socket":
      return void res.socket?.destroy();
    case "destroy the request":
      req.on("error", () => undefined);
      req.destroy();
      return void (await once(req, "close"));
  }
}
