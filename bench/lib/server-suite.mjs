// Whole servers of one framework: processor time a request, beside bare ones. The servers of a group take turns in every
// round, in an order that is turned around each time; ratios are taken inside the round.
import { median } from "./compare.mjs";
import { assertLimited, assertSameAnswers } from "./server-answers.mjs";
import { serverPark } from "./server-child.mjs";
import { LAYERS, requestsBy } from "./server-requests.mjs";
import { atLeast, atMost, fraction, times } from "./target.mjs";

const MANY = 1e9;
/** More than the engine remembers, so that none is known when it comes again. */
const TOO_MANY_TOKENS = 12_000;

const us = (value) => value.toFixed(1);

/**
 * @param framework file of `../servers`
 * @param settings `id` and `claim` of the target, `added` and `kept` to reach; `variants`: the names of the stack as
 * documented and with what it can prepare, the second of which is held against; `floor`: the name of a server that does the same
 * work with nothing general in it
 */
export async function measureServers(framework, settings, { short }) {
  const park = serverPark({ together: short });
  try {
    return await measured(framework, settings, { park, short });
  } finally {
    await park.close();
  }
}

async function measured(framework, settings, how) {
  const guarded = (side, more = {}) => ({ framework, side, layers: LAYERS, limit: MANY, ...more });
  const sides = {
    bare: { framework, side: "bare" },
    [settings.variants[0]]: guarded("stack", { prepared: false }),
    [settings.variants[1]]: guarded("stack", { prepared: true }),
    Gatehouse: guarded("gatehouse"),
    ...(settings.floor === undefined ? {} : { [settings.floor]: guarded("byHand") }),
  };
  const asked = await checkAnswers(sides, guarded, settings, how);
  const known = requestsBy(64);
  const unknown = requestsBy(how.short ? 64 : TOO_MANY_TOKENS);
  const get = await group(sides, known.get, how, { "Gatehouse, every token new": unknown.get });
  const post = await group(sides, known.post, how);
  const alone = await measureLayers(framework, known, how);
  return {
    tables: [tableOf("GET", get), tableOf("POST", post), layerTable(alone)],
    targets: [...targetsOf(settings, "GET", get), ...targetsOf(settings, "POST", post)],
    notes: [
      `${asked} questions and a limit of 3 were answered alike by all guarded sides before anything was timed: 200, 201, 204, 400, 401, 403, 422 (400 from fastify's schemas), 429`,
      "16 connections, each with one request under way, 64 callers with a token each; the load comes from another process",
      "V8's young generation has 16 MB in every process: it would shrink where a server waits for its turn",
      "no side sends an ETag; the policy also sends `X-Request-Id`, `Cache-Control: no-store` and `Vary`, which the stack does not",
    ],
    bars: [
      {
        title: `${settings.name}: processor time a request`,
        unit: "µs",
        groups: [barsOf("GET", get), barsOf("POST", post)],
      },
    ],
  };
}

async function checkAnswers(sides, guarded, { floor }, { park }) {
  const { bare: _, ...all } = sides;
  const asked = await withServers(park, all, (servers) => assertSameAnswers(portsOf(servers)));
  const tight = { stack: guarded("stack", { limit: 3 }), gatehouse: guarded("gatehouse", { limit: 3 }) };
  if (floor !== undefined) tight.floor = guarded("byHand", { limit: 3 });
  await withServers(park, tight, (servers) => assertLimited(portsOf(servers), 3));
  return asked;
}

async function withServers(park, sides, use) {
  const servers = {};
  try {
    for (const [name, options] of Object.entries(sides)) servers[name] = await park.start(options);
    return await use(servers);
  } finally {
    for (const server of Object.values(servers)) await server.stop();
  }
}

const portsOf = (servers) =>
  Object.fromEntries(Object.entries(servers).map(([name, { port }]) => [name, port]));

/**
 * @param extra name of a side, a comma and words, to other requests for a server like that side's
 * @returns name to the figures of each round
 */
async function group(sides, requests, { park, short }, extra = {}) {
  const more = Object.keys(extra).map((name) => [name, sides[name.split(",")[0]]]);
  return withServers(park, { ...sides, ...Object.fromEntries(more) }, (servers) =>
    rounds(servers, (name) => extra[name] ?? requests, short ? shortPace : pace),
  );
}

/**
 * In requests, not in seconds: a busy machine would leave the code of the slower side cold. By 16,000 V8 has compiled what it ever will of
 * any side. Earlier its compiler, which is threads of the same process, is counted too, and more of it where there is more code.
 */
const pace = { warmUp: 16_000, burst: 500, rounds: 21 };
const layerPace = { warmUp: 16_000, burst: 300, rounds: 11 };
const shortPace = { warmUp: 0, burst: 16, rounds: 1 };

/** Microseconds of the processor after which a burst has told enough: of what takes milliseconds, few requests tell as much. */
const TELLING = 200_000;
const FEWEST = 100;
/** Of the processor, behind the first of them: a side that takes a millisecond for each request is not waited for longer. */
const WARM = 3_000_000;
const AT_LEAST = 3000;

async function rounds(servers, workOf, pace) {
  const names = Object.keys(servers);
  const counts = {};
  for (const name of names) counts[name] = await warmed(servers[name], workOf(name), pace);
  const seen = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < pace.rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed())
      seen[name].push(await servers[name].burst(workOf(name), counts[name]));
  }
  return seen;
}

/** Server to the work that it is warm for, and how many requests of that make a burst. */
const warm = new WeakMap();

/** @returns how many requests make a burst; by processor time, so that a busy machine makes none shorter */
async function warmed(server, work, { warmUp, burst }) {
  if (warmUp === 0) return burst;
  const known = warm.get(server);
  if (known?.work === work) return known.count;
  const first = await server.burst(work, AT_LEAST);
  const { cpu } = await server.burst(work, Math.min(warmUp - AT_LEAST, Math.ceil(WARM / first.cpu)));
  const count = Math.min(burst, Math.max(FEWEST, Math.round(TELLING / cpu)));
  warm.set(server, { work, count });
  return count;
}

const middle = (seen, of) => median(seen.map(of));
const perRound = (a, b, of) => median(a.map((figures, round) => of(figures, b[round], round)));

/** What a side costs beyond a bare server, in one round. */
const added = (seen, name) => seen[name].map(({ cpu }, round) => cpu - seen.bare[round].cpu);

function tableOf(method, seen) {
  const rows = Object.entries(seen).map(([name, figures]) => [
    name,
    us(middle(figures, ({ cpu }) => cpu)),
    name === "bare" ? "" : us(median(added(seen, name))),
    Math.round(middle(figures, ({ perSecond }) => perSecond)).toString(),
    times(perRound(figures, seen.bare, (a, b) => a.perSecond / b.perSecond)),
    middle(figures, ({ p50 }) => p50).toFixed(2),
    middle(figures, ({ p99 }) => p99).toFixed(2),
    Math.round(figures.at(-1).rss / 2 ** 20).toString(),
  ]);
  return {
    caption: `${method}, the whole posture`,
    columns: ["server", "CPU, µs", "added, µs", "requests/s", "of bare", "p50, ms", "p99, ms", "RSS, MiB"],
    rows,
  };
}

function targetsOf({ id, name, variants, added: most, kept }, method, seen) {
  const [documented, prepared] = variants;
  const ratioTo = (stack) =>
    median(added(seen, "Gatehouse").map((ours, round) => ours / added(seen, stack)[round]));
  const claim = `${name}, ${method}: processor time that the posture adds`;
  const throughput = perRound(seen.Gatehouse, seen.bare, (a, b) => a.perSecond / b.perSecond);
  return [
    atMost(id, `${claim}, against ${documented}`, most, ratioTo(documented), fraction),
    atMost(id, `${claim}, against ${prepared}`, most, ratioTo(prepared), fraction),
    atLeast(id, `${name}, ${method}: requests a second, against bare`, kept, throughput),
  ];
}

function barsOf(method, seen) {
  return {
    name: method,
    bars: Object.entries(seen).map(([name, figures]) => [name, middle(figures, ({ cpu }) => cpu)]),
  };
}

/**
 * Each layer alone. The smallest policy has routes and headers, so that its layers are told beyond that one as well. That one and the bare
 * server are the same for all layers: they are started once.
 */
async function measureLayers(framework, known, { park, short }) {
  const settings = short ? shortPace : layerPace;
  const side = (name, layer) => ({ framework, side: name, layers: [layer], limit: MANY, prepared: true });
  const ofAll = { bare: { framework, side: "bare" }, smallest: side("gatehouse", "headers") };
  return withServers(park, ofAll, async (shared) => {
    const rows = [];
    for (const layer of LAYERS) {
      const sides = { stack: side("stack", layer), gatehouse: side("gatehouse", layer) };
      // The smallest is this layer's own.
      if (layer === "headers") delete sides.gatehouse;
      const requests = layer === "body" ? known.post : known.get;
      const seen = await withServers(park, sides, (own) =>
        rounds({ ...shared, ...own }, () => requests, settings),
      );
      rows.push(rowOf(layer, seen));
    }
    return rows;
  });
}

function rowOf(layer, seen) {
  const isSmallest = seen.gatehouse === undefined;
  const [ours, smallest] = isSmallest ? [seen.smallest, seen.bare] : [seen.gatehouse, seen.smallest];
  return {
    layer,
    stack: median(added(seen, "stack")),
    gatehouse: median(ours.map(({ cpu }, round) => cpu - seen.bare[round].cpu)),
    beyond: perRound(ours, smallest, (a, b) => a.cpu - b.cpu),
  };
}

const layerNames = {
  headers: "security headers (and routing)",
  cors: "cors",
  limit: "rate limit",
  jwt: "JWT and role",
  body: "body schema (POST)",
  response: "redaction of the answer",
};

function layerTable(rows) {
  return {
    caption:
      "Each layer alone, µs of processor time added to a bare server; the stack with what it can prepare",
    columns: ["layer", "stack", "Gatehouse", "Gatehouse, beyond the smallest policy"],
    rows: rows.map(({ layer, stack, gatehouse, beyond }) => [
      layerNames[layer],
      us(stack),
      us(gatehouse),
      us(beyond),
    ]),
  };
}
