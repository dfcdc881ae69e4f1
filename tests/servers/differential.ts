/**
 * One route for the policy and for the framework, whatever is sent: generated requests go over raw, pipelined connections to a real
 * server with a handler for each route of the policy and one for all the rest, and each handler says which it is.
 */
import { connect, type Socket } from "node:net";
import { expect, it } from "vitest";
import { createEngine, type Engine, type PolicyDocument } from "@gatehouse/core";
import { parseAnswer, type WireAnswer } from "@gatehouse/core/conformance";
import { Draw, rawRequest, type RawText } from "./raw-requests.js";

/** A route for which the server registers a handler of its own: in the order of the list where its framework goes by order. */
export interface HandledRoute {
  readonly key: string;
  readonly method: string;
  /** `/admin/:id`, `/files/*`: as the policy writes it. */
  readonly path: string;
}

export interface DifferentialStart {
  readonly engine: Engine;
  /** The last is the catch-all `* /*`, for every method. */
  readonly routes: readonly HandledRoute[];
  /**
   * What a handler answers: 200, any body, and these fields.
   * @param own the handler's route
   * @param decided `context.route`: what the policy decided
   */
  readonly fields: (own: HandledRoute, decided: string | null) => Record<string, string>;
}

export interface DifferentialOptions {
  /** Default `REQUESTS`: all of them for one framework. */
  readonly requests?: number;
}

/** `DIFFERENTIAL_REQUESTS`, or 20,000. */
export const REQUESTS = Number(process.env["DIFFERENTIAL_REQUESTS"] ?? 20_000);

const RAN = "X-Ran";
const DECIDED = "X-Decided";

/** Static before parameter before rest, at each level: frameworks that go by order get them so. */
const ROUTES = [
  "GET /",
  "GET /admin",
  "POST /admin",
  "GET /admin/audit",
  "GET /admin/kiosk/:id",
  "GET /admin/:id",
  "DELETE /admin/:id",
  "GET /public/:id/admin",
  "GET /a/b/c",
  "GET /a/:x/c",
  "GET /:section/audit",
  "GET /files/*",
  "GET /caf\u00e9",
  "GET /Mixed/Case",
  "* /*",
].map((key) => {
  const [method = "", path = ""] = key.split(" ");
  return { key, method, path };
}) as unknown as readonly [HandledRoute, ...HandledRoute[]];

const POLICY: PolicyDocument = {
  gatehouse: 1,
  name: "differential",
  transport: { https: "off" },
  routes: Object.fromEntries(ROUTES.map(({ key }) => [key, { authenticate: "none" }])),
};

export interface Tally {
  /** In words, each with the request that shows it. */
  readonly disagreements: string[];
  /** Handler to how often it ran. */
  readonly ran: Map<string, number>;
  readonly refused: number;
}

/** Sends generated requests, and tells where the handler that ran is not the route that was decided. */
export async function compareRoutes(
  start: (given: DifferentialStart) => Promise<{ readonly port: number; close(): Promise<void> }>,
  seed: number,
  requests: number,
): Promise<Tally> {
  const engine = await createEngine(POLICY);
  const fields: DifferentialStart["fields"] = (own, decided) => ({
    // Routes are named in ASCII: a field has no other characters.
    [RAN]: encodeURI(own.key),
    [DECIDED]: encodeURI(decided ?? "no route"),
  });
  const server = await start({ engine, routes: ROUTES, fields });
  const draw = new Draw(seed);
  const ran = new Map<string, number>();
  const tally = { disagreements: [] as string[], ran, refused: 0 };
  let left = requests;
  const take = (): RawText | undefined => ((left -= 1) < 0 ? undefined : rawRequest(draw, ROUTES));
  const judge = (request: RawText, answer: WireAnswer | undefined): void => {
    const problem = problemOf(answer, tally);
    if (problem !== undefined) tally.disagreements.push(`${problem}: ${JSON.stringify(request.text)}`);
  };
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, () => converse(server.port, take, judge)));
  } finally {
    await server.close();
    await engine.close();
  }
  return tally;
}

function problemOf(
  answer: WireAnswer | undefined,
  tally: { ran: Map<string, number>; refused: number },
): string | undefined {
  if (answer === undefined) return "no whole answer came";
  const field = (wanted: string): string | undefined =>
    answer.headers.find(([name]) => name.toLowerCase() === wanted.toLowerCase())?.[1];
  const [own, decided] = [field(RAN), field(DECIDED)];
  if (own !== undefined) {
    tally.ran.set(own, (tally.ran.get(own) ?? 0) + 1);
    return own === decided ? undefined : `\`${own}\` ran, and \`${decided ?? "nothing"}\` was decided`;
  }
  // A refusal of the policy's, or of the server's own parser. What was admitted has to reach a handler.
  if (answer.status >= 400 && answer.status < 500) tally.refused += 1;
  else return `${answer.status}, and no handler of ours answered`;
  return undefined;
}

/** Several conversations at once, each with several requests on their way. */
const CONNECTIONS = 24;
const PIPELINED = 6;

/** Until nothing is left to take. A connection that the server closes is replaced, and what it left unanswered is sent again. */
async function converse(
  port: number,
  take: () => RawText | undefined,
  judge: (request: RawText, answer: WireAnswer | undefined) => void,
): Promise<void> {
  let again: RawText[] = [];
  for (;;) {
    const first = again.shift() ?? take();
    if (first === undefined) return;
    again = await connection(port, [first, ...again], take, judge);
  }
}

/** @returns what the server closed the connection on, but for the first: that one has had its chance */
function connection(
  port: number,
  begin: readonly RawText[],
  take: () => RawText | undefined,
  judge: (request: RawText, answer: WireAnswer | undefined) => void,
): Promise<RawText[]> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, "127.0.0.1");
    const pending: RawText[] = [];
    const queue = [...begin];
    let received: Buffer = Buffer.alloc(0);
    let answered = 0;
    const fill = (): void => {
      while (pending.length < PIPELINED) {
        const request = queue.shift() ?? take();
        if (request === undefined) break;
        pending.push(request);
        socket.write(request.text, "latin1");
      }
      if (pending.length === 0) socket.end();
    };
    const read = (ended: boolean): void => {
      for (let request = pending[0]; request !== undefined; request = pending[0]) {
        const answer = parseAnswer(received, request.method, ended);
        if (answer === undefined) return;
        received = answer.rest;
        pending.shift();
        answered += 1;
        judge(request, answer);
        if (closes(answer)) return void socket.destroy();
      }
    };
    socket.setTimeout(10_000, () => socket.destroy());
    socket.on("connect", fill);
    socket.on("data", (bytes: Buffer) => {
      received = received.length === 0 ? bytes : Buffer.concat([received, bytes]);
      read(false);
      if (!socket.destroyed) fill();
    });
    // A reset after an answer that closes is the server's good right.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      read(true);
      const [lost] = pending;
      if (answered === 0 && lost !== undefined) {
        judge(lost, undefined);
        pending.shift();
      }
      resolve([...pending, ...queue]);
    });
  });
}

function closes({ headers, status }: WireAnswer): boolean {
  const connections = headers.filter(([name]) => name.toLowerCase() === "connection");
  return status === 101 || connections.some(([, value]) => value.toLowerCase() === "close");
}

/** The rarest handler is asked by one in two hundred: by none of so many with a chance of about 1e-9. */
const ENOUGH_FOR_ALL = 4000;

/** The test: no disagreement in any of the requests, and each handler was reached. */
export function describeDifferential(
  name: string,
  start: (given: DifferentialStart) => Promise<{ readonly port: number; close(): Promise<void> }>,
  { requests = REQUESTS }: DifferentialOptions = {},
): void {
  const seed = Number(process.env["DIFFERENTIAL_SEED"] ?? Date.now() % 2 ** 31);
  it(`policy_and_framework_see_one_route: ${name}, ${requests} requests, seed ${seed}`, async () => {
    const { disagreements, ran, refused } = await compareRoutes(start, seed, requests);
    expect(disagreements.slice(0, 20)).toEqual([]);
    // Of few requests the rarest handlers may be asked by none.
    if (requests >= ENOUGH_FOR_ALL) {
      expect([...ran.keys()].toSorted()).toEqual(ROUTES.map(({ key }) => encodeURI(key)).toSorted());
    }
    const handled = [...ran.values()].reduce((sum, count) => sum + count, 0);
    expect(handled + refused).toBe(requests);
    expect(handled).toBeGreaterThan(requests / 4);
  }, 120_000);
}
