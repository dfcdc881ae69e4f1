/**
 * Hostile requests to hostile handlers, on real connections: whatever both do, a request that Node's own parser does not see reaches no
 * handler, no answer is read as part of another, and nothing leaves that the policy withholds. Where requests begin is told by a server
 * of Node's without a guard, which is sent the same bytes.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { suiteOf, type Running, type StartServer, type Turn } from "../suite.js";
import { later, policyOf } from "../wire.js";
import { markOf, perform, SECRET, type Play } from "./plays.js";
import { readAnswers, type Asked, type ReadAnswer } from "./reading.js";
import { last, requests, written, type Request } from "./requests.js";

const METHODS = "GET|HEAD|POST|PUT|DELETE|OPTIONS";
const SHAPE = { type: "object", properties: { id: { type: "string" } } };
const POLICY = policyOf(
  {
    [`${METHODS} /open`]: {},
    [`${METHODS} /ruled`]: { response: { body: SHAPE } },
    [`${METHODS} /events`]: { response: { body: SHAPE, events: SHAPE } },
    "POST|PUT /read": { request: { body: { type: "object" } } },
    [`${METHODS} /closed`]: { authenticate: ["key"], authorize: "authenticated" },
  },
  {
    headers: { "X-Of-The-Policy": "a" },
    authenticators: { key: { type: "custom", use: "none", in: "header", name: "X-API-Key" } },
  },
);
const engine = { authenticators: { none: (): "bad" => "bad" } };

/** Conversations beside each other on the server: always as many, or chance would say how many there are of all. */
const AT_ONCE = 6;
/** `HOSTILE_RUNS`: conversations for each server. */
const ROUNDS = Math.ceil(Number(process.env["HOSTILE_RUNS"] ?? 66) / AT_ONCE);
const RUNS = ROUNDS * AT_ONCE;
const AN_HONEST_PLAY: Play = { steps: [], late: [], swallows: false, raw: false };

interface Parsed extends Asked {
  readonly id: number;
  readonly path: string;
  readonly version: string;
}

interface Conversation {
  readonly requests: readonly Request[];
  /** Where the bytes are cut into pieces that are sent one after the other. None: all at once. */
  readonly cuts: readonly number[];
  /** The client says that it has no more, and goes on reading. */
  readonly ends: boolean;
}

function conversations(raw: boolean): fc.Arbitrary<Conversation> {
  return fc.record({
    requests: fc.array(requests(raw), { minLength: 1, maxLength: 4, size: "max" }),
    cuts: fc.oneof(
      { weight: 3, arbitrary: fc.constant<readonly number[]>([]) },
      { weight: 1, arbitrary: fc.array(fc.nat(), { minLength: 1, maxLength: 6 }) },
    ),
    ends: fc.constantFrom(false, false, false, true),
  });
}

export interface HostileOptions {
  /** A handler has a way to Node's own response: beside the framework's, or in its place. */
  readonly raw: "beside" | "instead" | false;
}

export function describeHostile(name: string, start: StartServer, { raw }: HostileOptions): void {
  describe(`${name}: hostile requests and hostile handlers`, () => {
    it(
      `answers are apart, and nothing comes in or leaves that should not: ${RUNS} conversations`,
      async () => {
        const world = await World.open(start, raw);
        const beside = { minLength: AT_ONCE, maxLength: AT_ONCE, size: "max" } as const;
        await fc.assert(
          fc.asyncProperty(fc.array(conversations(raw !== false), beside), async (several) => {
            await Promise.all(several.map((one) => world.hold(one)));
            await world.settled();
          }),
          { numRuns: ROUNDS },
        );
        world.saysSomething();
      },
      120_000 + RUNS * 1000,
    );
  });
}

class World {
  private readonly plays = new Map<number, Play>();
  private readonly ran: { id: number; target: string }[] = [];
  private readonly seen = new Map<string, Parsed[]>();
  private nextId = 1;
  /** Conversations of which a generated request came so far: not what ends each, nor what hides in a body. */
  private readonly reached = { handler: 0, answer: 0 };
  private lost = 0;

  private constructor(
    private readonly raw: HostileOptions["raw"],
    private running: Running,
    private bare: number,
  ) {}

  static async open(start: StartServer, raw: HostileOptions["raw"]): Promise<World> {
    const { serve } = suiteOf(start, {});
    // Where servers tell of streams that broke, and of clients that left.
    for (const way of ["error", "info"] as const) {
      const told = vi.spyOn(console, way).mockReturnValue();
      later(() => told.mockRestore());
    }
    const world: { value?: World } = {};
    const running = await serve(POLICY, (turn) => world.value?.handle(turn), { engine });
    world.value = new World(raw, running, 0);
    world.value.bare = await world.value.unguarded();
    return world.value;
  }

  /** Reads all that it is sent, and answers each request. */
  private async unguarded(): Promise<number> {
    const listener = (req: IncomingMessage, res: ServerResponse): void => {
      const { method = "", url = "", headers } = req;
      const conversation = `${req.socket.remotePort ?? 0}`;
      const parsed = {
        id: Number(headers["x-play"]),
        path: url,
        method,
        version: req.httpVersion,
        expects: headers.expect !== undefined,
      };
      const list = this.seen.get(conversation) ?? [];
      this.seen.set(conversation, [...list, parsed]);
      req
        .on("error", () => undefined)
        // Or Node would close behind an answer of HTTP/1.0 that states none, and not see what a server that states one goes on to see.
        .on("end", () => res.writeHead(200, { "Content-Length": 0 }).end())
        .resume();
    };
    const server = createServer({ requireHostHeader: false }, listener).on("checkExpectation", listener);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    later(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return (server.address() as AddressInfo).port;
  }

  private handle(turn: Turn): unknown {
    const id = Number(turn.field("x-play"));
    this.ran.push({ id, target: turn.target });
    const play = this.plays.get(id) ?? AN_HONEST_PLAY;
    // A response that nobody listens to takes the process along when it is written to after its end: without a guard too.
    if (this.raw === "beside" || play.raw) {
      turn
        .raw()
        .res.on("error", () => undefined)
        .setMaxListeners(0);
    }
    return perform(play, turn, id, this.raw === "instead");
  }

  async hold({ requests: asked, ...given }: Conversation): Promise<void> {
    const first = this.nextId;
    const texts = asked.map((one, index) => {
      const id = first + 2 * index;
      this.plays.set(id, one.play);
      this.plays.set(id + 1, one.play);
      return written(one, id);
    });
    const end = first + 2 * texts.length;
    this.nextId = end + 1;
    const bytes = [...texts, last(end)].join("");
    // Of an upgrade that nobody takes Node drops what came in the same piece: then pieces would decide what is a request, and chance on them.
    const manner = /^Upgrade:/im.test(bytes) ? { ...given, cuts: [] } : given;
    const { port } = await talk(this.bare, bytes, manner);
    const parsed = this.seen.get(`${port}`) ?? [];
    // Another conversation may get that port.
    this.seen.delete(`${port}`);
    const { received } = await talk(this.running.port, bytes, manner);
    const said = `${JSON.stringify(manner)} sent ${JSON.stringify(bytes.replaceAll("a".repeat(20_000), "aaa"))}`;
    const answers = readAnswers(received.replace(OF_FASTIFY, ""), parsed);
    const ran = this.ran.filter(({ id }) => id >= first && id <= end);
    const generated = (id = end): boolean => id !== end && (id - first) % 2 === 0;
    if (ran.some(({ id }) => generated(id))) this.reached.handler += 1;
    if (answers.some(({ whole }, index) => whole && generated(parsed[index]?.id))) this.reached.answer += 1;
    const wrong = this.wrongOf(parsed, answers);
    const ids = parsed.map(({ id }) => id);
    if (
      !among(
        ran.map(({ id }) => id),
        ids,
      )
    )
      wrong.push("a handler ran for what is no request");
    if (ran.some(({ target }) => /closed|nowhere|^\/\//.test(target)))
      wrong.push("a handler ran that is behind a refusal");
    expect({ wrong, said, answers: wrong.length === 0 ? [] : answers }).toEqual({
      wrong: [],
      said,
      answers: [],
    });
  }

  private wrongOf(parsed: readonly Parsed[], answers: readonly ReadAnswer[]): string[] {
    return answers.flatMap((answer, index): string[] => {
      if (isParsers(answer))
        return index === answers.length - 1 ? [] : ["the parser's answer is not the last"];
      const request = parsed[index];
      if (request === undefined) return ["more answers than requests"];
      // A server that is not the guard's to own answers this by itself.
      if (this.raw === false && answer.status === 417 && request.expects && answer.body === "") return [];
      return wrongIn(answer, request).map((one) => `answer ${index}: ${one}`);
    });
  }

  /** No exchange stays open behind its connection. */
  async settled(): Promise<void> {
    const { events } = this.running;
    const open = (): number => {
      const over = events.filter(({ outcome }) => outcome === "admit" || outcome === "aborted");
      return this.ran.length - over.length - this.lost;
    };
    try {
      await expect.poll(open).toBeLessThanOrEqual(0);
    } catch (error) {
      // What is made smaller is not to fail for what went before it.
      this.lost += open();
      throw error;
    }
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  }

  saysSomething(): void {
    // Measured: of 66 about 29 or more have a handler run, and 52 or more an answer. Four are six deviations below that.
    expect(this.reached.handler).toBeGreaterThan(RUNS / 16);
    expect(this.reached.answer).toBeGreaterThan(RUNS / 16);
  }
}

function wrongIn(answer: ReadAnswer, request: Parsed): string[] {
  const text = JSON.stringify(answer);
  const policy = answer.fields.filter(([name]) => name === "x-of-the-policy").map(([, value]) => value);
  const marks = Array.from(text.matchAll(/\[\[\d+\]\]/g), ([mark]) => mark);
  const head = JSON.stringify([answer.fields, answer.trailers]);
  const checks: readonly (readonly [boolean, string])[] = [
    [policy.join() !== "a", "the policy's field is not there once"],
    [marks.some((mark) => mark !== markOf(request.id)), "it holds what is another's"],
    [/x-injected|x-smuggled/.test(head) || head.includes(SECRET), "a field that must not leave"],
    [/x-of-the-policy/i.test(answer.body), "a head within its body"],
    [request.version === "1.0" && /"transfer-encoding"/.test(head), "chunks, which HTTP/1.0 does not know"],
    [/ruled|events/.test(request.path) && text.includes(SECRET), "what the rule withholds"],
  ];
  return checks.flatMap(([isWrong, words]) => (isWrong ? [words] : []));
}

/** What Node writes where its parser gave up. */
function isParsers({ status, fields, body }: ReadAnswer): boolean {
  const names = fields.map(([name]) => name).join();
  return [400, 408, 413, 431].includes(status) && names === "connection" && body === "";
}

/** Fastify writes it in Node's place, whether or not an answer is on its way, and ends the connection: it belongs to no request. */
const OF_FASTIFY =
  /HTTP\/1\.1 4\d\d [A-Za-z ]+\r\nContent-Length: \d+\r\nContent-Type: application\/json\r\n\r\n\{"error":"[^"]*","message":"[^"]*","statusCode":4\d\d\}$/;

/** Whether each of the one list is in the other as often: what has no body to be read is decided before what came before it. */
function among(some: readonly number[], all: readonly number[]): boolean {
  const left = [...all];
  return some.every((id) => {
    const at = left.indexOf(id);
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}

/** A handler whose client has gone quiet waits for it; the connection is ended then. */
const QUIET_MS = 200;
const QUIET_TURNS = 10;

type Manner = Omit<Conversation, "requests">;

function talk(
  port: number,
  bytes: string,
  { cuts, ends }: Manner,
): Promise<{ received: string; port: number }> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const pieces: Buffer[] = [];
    let own = 0;
    let quiet = 0;
    // By turns and not by the clock: after a long turn of this process a timer is told before what has come meanwhile.
    const turns = setInterval(() => ++quiet === QUIET_TURNS && socket.destroy(), QUIET_MS / QUIET_TURNS);
    socket.on("connect", () => {
      own = socket.localPort ?? 0;
      socket.setNoDelay();
      void (async () => {
        for (const piece of cut(bytes, cuts)) {
          socket.write(piece, "latin1");
          // Read on the other side of this process before the next one is there.
          await new Promise((resolve) => setImmediate(resolve));
        }
        if (ends) socket.end();
      })();
    });
    socket.on("data", (piece: Buffer) => {
      quiet = 0;
      pieces.push(piece);
    });
    // A server that cuts an answer off resets the connection.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearInterval(turns);
      resolve({ received: Buffer.concat(pieces).toString("latin1"), port: own });
    });
  });
}

function cut(bytes: string, cuts: readonly number[]): string[] {
  const places = [...new Set(cuts.map((at) => at % bytes.length))].toSorted((a, b) => a - b);
  return [0, ...places]
    .map((from, index) => bytes.slice(from, places[index]))
    .filter((piece) => piece !== "");
}
