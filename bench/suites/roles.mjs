// May this caller do that, among many rules: one route and one role each. Ours is reached in two ways: as a whole decision, credential and
// all; and as the rule alone, which is finding it (`analyse`) and asking for the role. One role is too cheap to be seen in a decision, so
// a route below many groups asks for one at each. The libraries are called alone, everything prepared.
import { strict as assert } from "node:assert";
import { createMongoAbility } from "@casl/ability";
import { preparsePolicySet, statefulIsAuthorized } from "@cedar-policy/cedar-wasm/nodejs";
import { newEnforcer, newModelFromString, StringAdapter } from "casbin";
import { createEngine } from "@gatehouse/core";
import { analyse } from "@gatehouse/core/analysis";
import { bearer, decide } from "../lib/requests.mjs";
import { sideBySide } from "../lib/side-by-side.mjs";
import { atLeast, atMost, times } from "../lib/target.mjs";
import { authenticator, claimsOf, keyFor, SECRETS } from "../lib/tokens.mjs";
import { micros } from "../lib/units.mjs";

export const title = "Roles among many rules";

const SIZES = [10, 200, 1000, 10_000];
/** Where one answer takes them longer than anybody would wait for it. */
const MOST = { casbin: 1000, cedar: 1000 };

const GROUPS = 32;

const CASBIN = `
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
`;

/** As many as a policy may declare; beyond that rules share them. */
const ROLES = 2000;

const roleOf = (index) => `role${index % ROLES}`;
const numbers = (count) => Array.from({ length: count }, (_, index) => index);
const held = (count) => Math.floor(count / 2);

function policy(key, count) {
  const routes = numbers(count).map((index) => [
    `GET /things${index}`,
    { authorize: { roles: [roleOf(index)] } },
  ]);
  return {
    gatehouse: 1,
    name: "bench-roles",
    transport: { https: "off" },
    authenticators: { user: authenticator(key) },
    roles: Object.fromEntries(numbers(Math.min(count, ROLES)).map((index) => [roleOf(index), []])),
    routes: Object.fromEntries(routes),
  };
}

/** A path so deep that many groups hold it. @param asks whether each of them asks for the role */
function nested(key, asks) {
  const parts = numbers(GROUPS).map((index) => `g${index}`);
  const settings = asks ? { require: { roles: ["role0"] } } : {};
  const groups = parts.map((_, index) => [`/${parts.slice(0, index + 1).join("/")}`, settings]);
  return {
    gatehouse: 1,
    name: "bench-groups",
    transport: { https: "off" },
    authenticators: { user: authenticator(key) },
    roles: { role0: [] },
    groups: Object.fromEntries(groups),
    routes: { [`GET /${parts.join("/")}/things`]: { authorize: "authenticated" } },
  };
}

async function nestedDecision(key, asks) {
  const engine = await createEngine(nested(key, asks), { secrets: SECRETS });
  const target = `/${numbers(GROUPS)
    .map((index) => `g${index}`)
    .join("/")}/things`;
  const [good, bad] = ["role0", "other"].map((role) => bearer(target, key.mint(claimsOf({ roles: [role] }))));
  assert.equal(decide(engine, good).outcome, "admit");
  assert.equal(decide(engine, bad).outcome, asks ? "refuse" : "admit");
  return () => decide(engine, good);
}

async function casbin(count) {
  const lines = numbers(count).map((index) => `p, ${roleOf(index)}, things${index}, read`);
  const enforcer = await newEnforcer(
    newModelFromString(CASBIN),
    new StringAdapter([...lines, `g, ann, ${roleOf(held(count))}`].join("\n")),
  );
  return (thing) => enforcer.enforceSync("ann", `things${thing}`, "read");
}

/** All the rules in one ability, and one of them is the caller's to use. */
function casl(count) {
  const rules = numbers(count).map((index) => ({
    action: "read",
    subject: `things${index}`,
    inverted: index !== held(count),
    reason: roleOf(index),
  }));
  const ability = createMongoAbility(rules);
  return (thing) => {
    const rule = ability.relevantRuleFor("read", `things${thing}`);
    return rule !== null && !rule.inverted;
  };
}

function cedar(count) {
  const staticPolicies = numbers(count)
    .map(
      (index) =>
        `permit(principal in Role::"${roleOf(index)}", action == Action::"read", resource == Thing::"things${index}");`,
    )
    .join("\n");
  const prepared = preparsePolicySet("bench", { staticPolicies });
  assert.equal(prepared.type, "success");
  const uid = (type, id) => ({ type, id });
  const entities = [
    { uid: uid("User", "ann"), attrs: {}, parents: [uid("Role", roleOf(held(count)))] },
    { uid: uid("Role", roleOf(held(count))), attrs: {}, parents: [] },
  ];
  return (thing) => {
    const answer = statefulIsAuthorized({
      principal: uid("User", "ann"),
      action: uid("Action", "read"),
      resource: uid("Thing", `things${thing}`),
      context: {},
      preparsedPolicySetId: "bench",
      entities,
    });
    return answer.type === "success" && answer.response.decision === "allow";
  };
}

/** The rule alone, in one round. */
const rule = (at) => at("found") + (at("asked") - at("not asked")) / GROUPS;

async function measured(count, { key, asked, notAsked }, options) {
  const [mine, other] = [held(count), 0];
  const traced = await createEngine(policy(key, count), { secrets: SECRETS, trace: true });
  const told = [];
  const onDecision = (event) => void (told[0] = event);
  const plain = await createEngine(policy(key, count), { secrets: SECRETS, onDecision });
  const token = key.mint(claimsOf({ roles: [roleOf(mine)] }));
  const [good, bad] = [`/things${mine}`, `/things${other}`].map((target) => bearer(target, token));
  const peers = new Map([["CASL, prebuilt", casl(count)]]);
  if (count <= MOST.casbin) peers.set("casbin, enforceSync", await casbin(count));
  if (count <= MOST.cedar) peers.set("cedar-wasm, preparsed", cedar(count));
  const explained = decide(traced, bad);
  assert.equal(decide(plain, good).outcome, "admit");
  assert.equal(explained.code, "forbidden");
  assert.equal(decide(plain, bad).code, "forbidden");
  assert.equal(told[0].rule, `/routes/GET ~1things${other}/authorize/roles`);
  assert.ok(explained.trace.some(({ rule }) => rule?.includes(`things${other}`)));
  for (const may of peers.values()) assert.deepEqual([may(mine), may(other)], [true, false]);
  const { routeAt } = analyse(policy(key, count));
  const segments = [`things${mine}`];
  assert.equal(routeAt("GET", segments).key, `GET /things${mine}`);
  const own = {
    decision: () => decide(plain, good),
    traced: () => decide(traced, good),
  };
  const comparison = await sideBySide(
    [
      { name: "decision", run: own.decision },
      { name: "traced", run: own.traced },
      { name: "found", run: () => routeAt("GET", segments) },
      { name: "asked", run: asked },
      { name: "not asked", run: notAsked },
      { name: "refused", run: () => decide(plain, bad) },
      ...[...peers].map(([name, may]) => ({ name, run: () => may(mine) })),
    ],
    options,
  );
  const close = () => Promise.all([traced.close(), plain.close()]);
  return { count, comparison, peers: [...peers.keys()], own, close };
}

export async function run(options) {
  const key = keyFor("HS256");
  const own = { key, asked: await nestedDecision(key, true), notAsked: await nestedDecision(key, false) };
  const sizes = options.short ? SIZES.slice(0, 2) : SIZES;
  const all = [];
  for (const count of sizes) all.push(await measured(count, own, options));
  const [first, last] = [all[0], all.at(-1)];
  const growth = await sideBySide(
    [
      { name: "few", run: first.own.decision },
      { name: "many", run: last.own.decision },
    ],
    { ...options, ms: 40 },
  );
  for (const { close } of all) await close();
  const among = all.find(({ count }) => count === 200);
  const { comparison } = among;
  const times200 = (peer) => comparison.perRound((at) => at(peer) / rule(at));
  const series = (name, of) => ({ name, points: all.flatMap(of) });
  return {
    tables: [
      {
        caption: "One answer, CPU time",
        columns: ["rules", "what", "an answer", "beside our whole decision"],
        rows: all.flatMap(({ count, comparison: seen, peers }) => [
          [String(count), "Gatehouse, whole decision", micros(seen.ns("decision")), "1x"],
          [
            String(count),
            "Gatehouse, whole decision, traced",
            micros(seen.ns("traced")),
            times(seen.ratio("traced", "decision")),
          ],
          [
            String(count),
            "Gatehouse, whole refusal",
            micros(seen.ns("refused")),
            times(seen.ratio("refused", "decision")),
          ],
          [
            String(count),
            "Gatehouse, the rule alone",
            micros(seen.perRound(rule)),
            times(seen.perRound((at) => rule(at) / at("decision"))),
          ],
          ...peers.map((name) => [
            String(count),
            name,
            micros(seen.ns(name)),
            times(seen.ratio(name, "decision")),
          ]),
        ]),
      },
    ],
    targets: [
      atLeast(
        "5",
        "one explained role among 200 rules, against casbin",
        1000,
        times200("casbin, enforceSync"),
      ),
      atLeast(
        "5",
        "one explained role among 200 rules, against cedar-wasm",
        2000,
        times200("cedar-wasm, preparsed"),
      ),
      atMost(
        "5",
        "one explained role among 200 rules, against CASL prebuilt",
        2,
        1 / times200("CASL, prebuilt"),
      ),
      atMost(
        "5",
        `whole decision, own cost from ${first.count} to ${last.count} rules`,
        2.5,
        growth.ratio("many", "few"),
      ),
    ],
    notes: [
      "Explained: the event of a decision names the rule that refused (`onDecision`). `trace` tells more, and each fact that was read. CASL tells its rule too; casbin and Cedar were asked for the answer alone.",
      `Against our whole decision, credential and all, casbin takes ${times(comparison.ratio("casbin, enforceSync", "decision"))} and cedar-wasm ${times(comparison.ratio("cedar-wasm, preparsed", "decision"))} at 200 rules.`,
      "casbin and Cedar are asked among 1,000 rules at most: beyond that one answer takes them milliseconds. OPA is missing: what compiles its policies to WebAssembly comes in no package of npm.",
    ],
    curves: [
      {
        title: "One answer by number of rules",
        x: "rules",
        y: "ns",
        series: [
          series("Gatehouse, whole decision", ({ count, comparison: seen }) => [
            [count, seen.ns("decision")],
          ]),
          ...["casbin, enforceSync", "cedar-wasm, preparsed", "CASL, prebuilt"].map((name) =>
            series(name, ({ count, comparison: seen, peers }) =>
              peers.includes(name) ? [[count, seen.ns(name)]] : [],
            ),
          ),
        ],
      },
    ],
  };
}
