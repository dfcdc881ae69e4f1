/** Keys of an issuer that are fetched: prepared, filtered like any key set, and kept by the refresher. */
import { Report } from "../../errors/diagnostics.js";
import { canonicalJson } from "../../lib/canonical-json.js";
import { parseDuration } from "../../lib/duration.js";
import { pointerTo } from "../../lib/pointer.js";
import type { CompileEnvironment } from "../../model/kind.js";
import type { JwtSettings } from "../../model/policy.js";
import type { Clock } from "../../ports/clock.js";
import type { JwsAlgorithm, Platform, SignatureVerifier } from "../../ports/platform.js";
import { compileHeader, type HeaderRules } from "./jose-header.js";
import { usableKeys } from "./jwks.js";
import { KeyTable } from "./key-table.js";
import { Refresher, type Fetched, type RefresherState } from "./refresher.js";
import { freshnessOf } from "./remote-json.js";
import { keySetSource, type RemoteKeySettings } from "./remote-source.js";

const DEFAULTS = { refresh: "15m", cooldown: "10s", maxStale: "4h" } as const;

/** However often a provider wants to be asked. */
const SHORTEST_REFRESH_MS = 60_000;

/** What stood in a set, ready to select from. */
export interface RemoteKeys {
  readonly header: HeaderRules;
  /** By algorithm and the key's own text: a key that stays is the same key, so that what it verified stays known. */
  readonly verifiers: ReadonlyMap<string, SignatureVerifier>;
}

export type KeyRefresher = Refresher<RemoteKeys>;

/** Fetched once before the policy is ready. Reports where that fails and the author wants no engine without keys. */
export async function compileRemoteKeys(
  settings: JwtSettings,
  keys: RemoteKeySettings,
  base: string,
  environment: CompileEnvironment,
): Promise<KeyRefresher> {
  const { clock, lifetime, platform, call, report, handedOn } = environment;
  const { algorithms, typ, profile, issuer } = settings;
  const source = JSON.stringify(["keys", keys, issuer, algorithms, typ, profile]);
  const fetchSet = keySetSource(keys, settings.issuer, call);
  const refreshMs = parseDuration(keys.refresh ?? DEFAULTS.refresh) ?? 0;
  const refresher = new Refresher<RemoteKeys>({
    fetch: async (before): Promise<Fetched<RemoteKeys>> => {
      const set = await fetchSet();
      if (set.kind === "failure") return set;
      const freshMs = clamp(freshnessOf(set.answer) ?? refreshMs, SHORTEST_REFRESH_MS, refreshMs);
      return { kind: "fetched", value: await prepare(set.keys, settings, platform, before), freshMs };
    },
    cooldownMs: parseDuration(keys.cooldown ?? DEFAULTS.cooldown) ?? 0,
    maxStaleMs: parseDuration(keys.maxStale ?? DEFAULTS.maxStale) ?? 0,
    now: () => clock.monotonic(),
    random: () => (platform.randomBytes(1)[0] ?? 0) / 255,
    lifetime,
    fetched: (state) => handedOn?.set(source, state),
  });
  const begun = (): Promise<void> | undefined => begin(refresher, clock, handedOn?.get(source));
  // A secret that changes is no beginning: it waits for no issuer, and is held up by none that is away for too long. Nor is an issuer
  // asked for each attempt to find out which secret is bad.
  if (environment.again === true) {
    lifetime.onForce(() => void begun());
    return refresher;
  }
  await begun();
  if (keys.atStart !== "later") reportMissing(refresher, clock.monotonic(), pointerTo(base, "keys"), report);
  return refresher;
}

/**
 * With the keys that the policy before had: replacing a policy, or a secret of it, must not depend on an issuer that may
 * be away just then. They are as old as they were, and fetched where they are due.
 */
function begin(refresher: KeyRefresher, clock: Clock, before: unknown): Promise<void> | undefined {
  const state = isState(before) ? before : undefined;
  if (state !== undefined) refresher.resume(state);
  const now = clock.monotonic();
  return state === undefined || now >= state.dueAt ? refresher.filled(now) : undefined;
}

/** The name under which it was left says what it is. */
function isState(left: unknown): left is RefresherState<RemoteKeys> {
  return typeof left === "object" && left !== null && "dueAt" in left;
}

function reportMissing(refresher: KeyRefresher, now: number, pointer: string, report: Report): void {
  const help = '`"atStart": "later"` serves without keys, and answers tokens with 503 until there are some';
  const at = refresher.at(now);
  if (at === undefined) {
    report.error(
      "unreachable-keys",
      pointer,
      `there are no keys: ${refresher.problem ?? "they are too old"}`,
      help,
    );
  } else if (at.verifiers.size === 0) {
    report.error(
      "no-usable-key",
      pointer,
      "no key of the set fits the `algorithms`",
      "with no key every token is refused",
    );
  }
}

/** A provider asks for less than the shortest at most as far as the author does. */
function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

/** An empty set is a set: its issuer says that no key is good any more. */
async function prepare(
  set: readonly unknown[],
  settings: JwtSettings,
  platform: Platform,
  before: RemoteKeys | undefined,
): Promise<RemoteKeys> {
  // What is wrong with single keys is the provider's affair: they are left out, as are keys for other purposes.
  const usable = usableKeys(set, settings.algorithms, () => "", new Report());
  const table = new KeyTable(true);
  const verifiers = new Map<string, SignatureVerifier>();
  for (const { jwk, kid, algorithms } of usable) {
    const text = canonicalJson(jwk);
    for (const algorithm of algorithms) {
      const name = `${algorithm} ${text}`;
      const key = before?.verifiers.get(name) ?? (await prepareOne(algorithm, jwk, platform));
      if (key === undefined) continue;
      verifiers.set(name, key);
      table.add(kid, key);
    }
  }
  const same =
    before?.verifiers.size === verifiers.size &&
    [...verifiers.keys()].every((name) => before.verifiers.has(name));
  return same ? before : { header: compileHeader(table, settings), verifiers };
}

async function prepareOne(
  algorithm: JwsAlgorithm,
  jwk: Readonly<Record<string, unknown>>,
  platform: Platform,
): Promise<SignatureVerifier | undefined> {
  try {
    return await platform.prepareKey(algorithm, { jwk });
  } catch {
    return undefined;
  }
}
