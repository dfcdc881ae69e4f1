/** As many requests as a limit takes, and more. */
import type { LimitSettings } from "@gatehouse/core/analysis";
import type { PolicyResult } from "@gatehouse/core/testing";
import type { Sendable } from "./carried.js";
import type { Reply } from "./client.js";
import type { Base, RouteGround } from "./ground.js";
import { showsOf } from "./inquiry.js";
import { isImpossible } from "./judge.js";
import type { Keyring } from "./keyring.js";
import type { Run } from "./probe.js";
import type { Asker } from "./question.js";

interface Flood {
  readonly name: string;
  readonly settings: LimitSettings;
  readonly route: string;
  readonly base: Base;
  /** Requests until the policy refuses. */
  readonly admitted: number;
  readonly result: PolicyResult;
  readonly wire: Sendable;
}

export async function floodLimits(run: Run, floods: boolean, unsafe: boolean): Promise<void> {
  const { limits } = run.ground.policy;
  for (const [name, { value: settings }] of limits) {
    const example = `limit \`${name}\``;
    if (!floods) run.ledger.leaveOut("limits are spent by asking: `--floods` asks", example);
    else if (settings.algorithm === "concurrency")
      run.ledger.leaveOut("a limit of what runs at once is not flooded", example);
    else await flood(run, name, settings, unsafe);
  }
}

async function flood(run: Run, name: string, settings: LimitSettings, unsafe: boolean): Promise<void> {
  const example = `limit \`${name}\``;
  if (settings.limit + 2 > run.pace.left)
    return run.ledger.leaveOut("no more requests are left: `--max-requests` allows more", example);
  const planned = await planFor(run, name, settings, unsafe);
  if (planned === undefined)
    return run.ledger.leaveOut(
      "no requests were found that reach the limit at this rate and with what may be sent",
      example,
    );
  await send(run, planned);
}

/** The first way to make the limit refuse: with what changes nothing, where there is one. */
async function planFor(
  run: Run,
  name: string,
  settings: LimitSettings,
  unsafe: boolean,
): Promise<Flood | undefined> {
  const { routes, policy } = run.ground;
  const everybody = policy.globalLimits.some(({ value }) => value === name);
  for (const one of routes) {
    if (!everybody && !one.route.limits.some(({ value }) => value === name)) continue;
    for (const base of basesOf(one, unsafe)) {
      const found = await tried(run, one, base, name, settings);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function basesOf({ route, bases, misses }: RouteGround, unsafe: boolean): readonly Base[] {
  const safe = ({ request }: Base): boolean => ["GET", "HEAD"].includes(request.method ?? "GET");
  const nobody = bases[0]?.request ?? misses[0]?.request;
  const anonymous =
    nobody === undefined || route.authenticate.mode === "none" ? [] : [{ by: undefined, request: nobody }];
  const all = [...anonymous, ...bases];
  return [...all.filter(safe), ...(unsafe ? all.filter((base) => !safe(base)) : [])];
}

async function tried(
  run: Run,
  { route }: RouteGround,
  base: Base,
  name: string,
  settings: LimitSettings,
): Promise<Flood | undefined> {
  const by = run.fresh(base.by, route.key, base.request);
  const { keyring, certificates, judge } = run.ground;
  if (by !== undefined && (keyring.lacking(by.person, by.holder) ?? once(keyring, by)) !== undefined)
    return undefined;
  const request = run.complete(base.request);
  // What counts failures counts answers: the handler's is one.
  const answer =
    settings.count === undefined || settings.count === "all" ? {} : { answer: { status: 401, body: {} } };
  try {
    const told = certificates.told(request, showsOf(run.ground, { by }));
    const asking = { person: by && keyring.bound(by.person), request: told, ...answer };
    const reached = await judge.flood(asking, settings.limit + 1, 1000 / run.pace.rate);
    if (reached === undefined || !(reached.result.rule ?? "").startsWith(`/limits/${name}`)) return undefined;
    const wire = keyring.sealed(reached.result.request, by, "wire");
    return { name, settings, route: route.key, base: { by, request }, ...reached, wire };
  } catch (error) {
    if (isImpossible(error)) return undefined;
    throw error;
  }
}

/** What is proved is good once: a flood of it would be one of replays. */
function once(keyring: Keyring, { person }: Asker): true | undefined {
  return keyring.repeats(person) || keyring.proves(person) ? true : undefined;
}

async function send(run: Run, { name, settings, route, base, admitted, result, wire }: Flood): Promise<void> {
  const began = performance.now();
  const slack = (): number =>
    2 + Math.ceil((admitted * (performance.now() - began)) / windowOf(settings.window));
  let last: Reply | undefined;
  for (let sent = 0; sent <= admitted + slack(); sent += 1) {
    last = await run.sendPlain(wire, base.by);
    if (last === undefined)
      return run.ledger.leaveOut(
        "no more requests are left: `--max-requests` allows more",
        `limit \`${name}\``,
      );
    if (last.kind !== "answer" || last.answer.status === 429) return;
  }
  if (last === undefined) return;
  run.tell(
    {
      kind: "limit",
      subject: `limit ${name}`,
      message: `limit \`${name}\`: more than ${admitted} requests were served`,
    },
    { area: "limits", about: `${admitted} requests and more`, route },
    result,
    wire,
    last,
  );
}

const MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds; of a window of the calendar the shortest that it can be. */
function windowOf(window: string | undefined): number {
  const [, count = "1", unit = ""] = /^(\d+)(ms|s|m|h|d)$/u.exec(window ?? "1m") ?? [];
  return Number(count) * (MS[unit] ?? 3_600_000);
}
