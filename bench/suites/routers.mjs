// Which route is meant, by number of routes. Ours is reached as tools reach it, by `analyse`: it is handed segments and joins
// them once, where find-my-way cuts its target.
import { strict as assert } from "node:assert";
import findMyWay from "find-my-way";
import { createEngine } from "@gatehouse/core";
import { analyse } from "@gatehouse/core/analysis";
import { decide, request } from "../lib/requests.mjs";
import { sideBySide } from "../lib/side-by-side.mjs";
import { atMost, times } from "../lib/target.mjs";
import { micros } from "../lib/units.mjs";

export const title = "Routers";

const SIZES = [10, 100, 1000];

/** An API as they are: collections, members, and what hangs on members. */
function pathsOf(count) {
  const paths = [];
  for (let index = 0; paths.length < count; index++) {
    const base = `/v1/area${index % 17}/things${index}`;
    paths.push(base, `${base}/:id`, `${base}/:id/notes`, `${base}/:id/notes/:note`, `${base}/search`);
  }
  return paths.slice(0, count);
}

const targetOf = (path) => path.replaceAll(/:\w+/g, "8f14e45f");

const policy = (paths) => ({
  gatehouse: 1,
  name: "bench-routers",
  transport: { https: "off" },
  defaults: { authenticate: "none" },
  routes: Object.fromEntries(paths.map((path) => [`GET ${path}`, {}])),
});

function routerOf(paths) {
  const router = findMyWay();
  for (const path of paths) router.on("GET", path, () => path);
  return (target) => router.find("GET", target);
}

/** Every 7th, so that caches of the machine hold what they would hold of a real API. */
const pick = (all) => (index) => all[(index * 7) % all.length];

async function measured(count, options) {
  const paths = pathsOf(count);
  const targets = paths.map(targetOf);
  const engine = await createEngine(policy(paths));
  const { routeAt } = analyse(policy(paths));
  const split = targets.map((target) => target.slice(1).split("/"));
  const route = (segments) => routeAt("GET", segments);
  const find = routerOf(paths);
  const raws = targets.map((target) => request("GET", target));
  for (const [index, target] of targets.entries()) {
    const decided = decide(engine, raws[index]);
    const found = find(target);
    assert.equal(decided.route, `GET ${paths[index]}`);
    assert.equal(route(split[index]).key, decided.route);
    assert.equal(found.handler(), paths[index]);
    assert.deepEqual({ ...decided.params }, { ...found.params });
  }
  const [raw, target, segments] = [pick(raws), pick(targets), pick(split)];
  const comparison = await sideBySide(
    [
      { name: "router", run: (index) => route(segments(index)) },
      { name: "find-my-way", run: (index) => find(target(index)) },
      { name: "decision", run: (index) => decide(engine, raw(index)) },
    ],
    { ...options, ms: 25 },
  );
  await engine.close();
  return {
    count,
    comparison,
    router: (index) => route(segments(index)),
    decision: (index) => decide(engine, raw(index)),
  };
}

export async function run(options) {
  const sizes = options.short ? SIZES.slice(0, 2) : SIZES;
  const all = [];
  for (const count of sizes) all.push(await measured(count, options));
  const [first, last] = [all[0], all.at(-1)];
  // Small beside large, in one round.
  const growth = await sideBySide(
    [
      { name: "few", run: first.router },
      { name: "many", run: last.router },
      { name: "decision, few", run: first.decision },
      { name: "decision, many", run: last.decision },
    ],
    { ...options, ms: 40 },
  );
  const span = `${first.count} to ${last.count} routes`;
  const points = (name) => all.map(({ count, comparison }) => [count, comparison.ns(name)]);
  return {
    tables: [
      {
        caption: "One look-up, CPU time",
        columns: ["routes", "Gatehouse", "find-my-way", "ours beside it", "whole decision on an open route"],
        rows: all.map(({ count, comparison }) => [
          String(count),
          micros(comparison.ns("router")),
          micros(comparison.ns("find-my-way")),
          times(comparison.ratio("router", "find-my-way")),
          micros(comparison.ns("decision")),
        ]),
      },
    ],
    targets: [
      atMost(
        "11",
        `routing among ${last.count} routes, against find-my-way`,
        1.5,
        last.comparison.ratio("router", "find-my-way"),
      ),
      atMost("11", `routing, own cost from ${span}`, 1.3, growth.ratio("many", "few")),
    ],
    notes: [
      `A whole decision on an open route from ${span}: ${times(growth.ratio("decision, many", "decision, few"))}.`,
      "Neighbouring requests ask for different routes, as at a real server.",
    ],
    curves: [
      {
        title: "One look-up by number of routes",
        x: "routes",
        y: "ns",
        series: [
          { name: "Gatehouse", points: points("router") },
          { name: "find-my-way", points: points("find-my-way") },
        ],
      },
    ],
  };
}
