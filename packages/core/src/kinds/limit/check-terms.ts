/** What is wrong with a limit wherever it stands: settings that contradict each other, and numbers beyond exact arithmetic. */
import { isTimeZone } from "../../lib/calendar.js";
import type { Report } from "../../errors/diagnostics.js";
import { pointerTo } from "../../lib/pointer.js";
import type { LimitSettings } from "../../model/policy.js";
import type { Placed } from "../../model/resolved.js";
import { emissionUs } from "./op.js";
import { durationUs, type Algorithm } from "./terms.js";

type Setting = keyof LimitSettings;

/** Beyond this, sums of microseconds would stop being exact. */
const MOST_US = 2 ** 52;

const SHORTEST_LEASE_US = 100_000;

/** A tenth of it, one bucket, is the millisecond that coarse clocks are read in. */
const SHORTEST_WINDOW_US = 10_000;

/** Settings that mean something to one algorithm alone. */
const BELONGS_TO: readonly (readonly [setting: Setting, algorithm: Algorithm])[] = [
  ["burst", "token-bucket"],
  ["lease", "concurrency"],
  ["zone", "calendar"],
];

const NOT_IN_FLIGHT: readonly Setting[] = ["window", "cost", "count"];

export function checkTerms(limit: Placed<LimitSettings>, report: Report): void {
  checkPlace(limit, report);
  checkWindow(limit, report);
  checkSizes(limit, report);
  checkPenalty(limit, report);
  checkPrecision(limit, report);
  checkChoices(limit, report);
}

function checkPlace({ value, pointer }: Placed<LimitSettings>, report: Report): void {
  const { algorithm = "sliding-window" } = value;
  for (const [setting, owner] of BELONGS_TO) {
    if (value[setting] === undefined || algorithm === owner) continue;
    report.error(
      "setting-without-effect",
      pointerTo(pointer, setting),
      `\`${setting}\` means nothing to \`${algorithm}\``,
      `it belongs to \`"algorithm": "${owner}"\``,
    );
  }
  if (algorithm !== "concurrency") return;
  for (const setting of NOT_IN_FLIGHT) {
    if (value[setting] === undefined) continue;
    report.error(
      "setting-without-effect",
      pointerTo(pointer, setting),
      `\`${setting}\` means nothing to \`concurrency\`, which counts requests in flight`,
      "take it out",
    );
  }
}

function checkWindow({ value, pointer }: Placed<LimitSettings>, report: Report): void {
  const { window, algorithm = "sliding-window" } = value;
  if (algorithm === "concurrency") return;
  if (window === undefined) {
    const example = algorithm === "calendar" ? '"window": "day"' : '"window": "1m"';
    report.error("missing-window", pointer, "the limit does not say per how long", `write \`${example}\``);
    return;
  }
  const place = pointerTo(pointer, "window");
  const calendar = window === "day" || window === "month";
  if (calendar !== (algorithm === "calendar")) {
    report.error(
      "invalid-window",
      place,
      `\`${window}\` is no window of \`${algorithm}\``,
      calendar
        ? '`day` and `month` belong to `"algorithm": "calendar"`; else write `1d`'
        : "a calendar quota is for a `day` or a `month`",
    );
    return;
  }
  if (!calendar && durationUs(window) === 0) {
    report.error("invalid-window", place, `\`${window}\` is no window that can be kept`, "write `1m`, say");
  } else if (algorithm === "sliding-window" && durationUs(window) < SHORTEST_WINDOW_US) {
    report.error(
      "invalid-window",
      place,
      `\`${window}\` is shorter than a clock and a process can tell instants apart`,
      "write `10ms` or more",
    );
  }
}

function checkSizes({ value, pointer }: Placed<LimitSettings>, report: Report): void {
  const { algorithm = "sliding-window", limit, burst = limit } = value;
  const cost = costOf(value);
  const most = algorithm === "token-bucket" ? burst : limit;
  if (cost > most && algorithm !== "concurrency") {
    report.error(
      "out-of-range",
      pointerTo(pointer, "cost"),
      `one request costs \`${cost}\`, and there are never more than \`${most}\``,
      "no request would ever be admitted",
    );
  }
  const windowUs = durationUs(value.window);
  if (algorithm === "token-bucket" && windowUs > 0) {
    if (windowUs < limit) {
      report.error(
        "out-of-range",
        pointerTo(pointer, "limit"),
        `\`${limit}\` in \`${value.window ?? ""}\` is more than one in a microsecond`,
        "lengthen the window, or lower the limit",
      );
    } else if (emissionUs(windowUs, limit) * Math.max(burst, cost) > MOST_US) {
      report.error(
        "out-of-range",
        pointerTo(pointer, "window"),
        `\`${burst}\` at \`${limit}\` in \`${value.window ?? ""}\` is longer than can be counted exactly`,
        "shorten the window, or lower the burst",
      );
    }
  }
  const { lease } = value;
  if (lease !== undefined && durationUs(lease) < SHORTEST_LEASE_US) {
    report.error(
      "out-of-range",
      pointerTo(pointer, "lease"),
      `\`${lease}\` is too short to be renewed in time`,
      "write `100ms` or more",
    );
  }
}

/** What is known of it before a request: an expression may come to 1. */
function costOf({ cost = 1 }: LimitSettings): number {
  const priced = typeof cost === "object" ? cost.estimate : cost;
  return typeof priced === "number" ? priced : 1;
}

function checkPenalty({ value: { penalty }, pointer }: Placed<LimitSettings>, report: Report): void {
  if (penalty === undefined) return;
  const place = pointerTo(pointer, "penalty");
  const block = durationUs(penalty.block);
  if (block === 0) {
    report.error(
      "out-of-range",
      pointerTo(place, "block"),
      `\`${penalty.block}\` blocks nobody`,
      "write `30s`, say",
    );
  }
  if (penalty.max !== undefined && durationUs(penalty.max) < block) {
    report.error(
      "out-of-range",
      pointerTo(place, "max"),
      `\`${penalty.max}\` is shorter than the first block, \`${penalty.block}\``,
      "raise `max`, or lower `block`",
    );
  }
}

/** Units that were handed out ahead are spent later: no window can be promised then, and no block is heard of in time. */
function checkPrecision({ value, pointer }: Placed<LimitSettings>, report: Report): void {
  if (value.precision !== "leased") return;
  const place = pointerTo(pointer, "precision");
  const { algorithm = "sliding-window" } = value;
  if (algorithm !== "token-bucket") {
    report.error(
      "setting-without-effect",
      place,
      `\`leased\` cannot keep what \`${algorithm}\` promises`,
      'it belongs to `"algorithm": "token-bucket"`',
    );
  } else if (value.penalty !== undefined) {
    report.error(
      "setting-without-effect",
      place,
      "`leased` admits without asking, also a caller whom a `penalty` blocks elsewhere",
      "take `precision` out, or `penalty`",
    );
  }
}

function checkChoices({ value, pointer }: Placed<LimitSettings>, report: Report): void {
  const { share, onStoreFailure = "local", onMissing, by, zone, mode, reveal } = value;
  if (mode === "observe" && reveal === true) {
    report.error(
      "setting-without-effect",
      pointerTo(pointer, "reveal"),
      "a limit that only observes is never shown: a client would slow down for what refuses nobody",
      "take `reveal` out",
    );
  }
  if (share !== undefined && onStoreFailure !== "local") {
    report.error(
      "setting-without-effect",
      pointerTo(pointer, "share"),
      `\`share\` is for a process that counts alone, and the limit is \`${onStoreFailure}\` then`,
      'write `"onStoreFailure": "local"`, or take `share` out',
    );
  }
  if (onMissing !== undefined && by === undefined) {
    report.error(
      "setting-without-effect",
      pointerTo(pointer, "onMissing"),
      "the limit counts by nothing, so nothing of it can be absent",
      "take `onMissing` out, or write `by`",
    );
  }
  if (zone !== undefined && !isTimeZone(zone)) {
    report.error(
      "invalid-zone",
      pointerTo(pointer, "zone"),
      `there is no time zone \`${zone}\``,
      "write a name of the IANA database, such as `Europe/Berlin`",
    );
  }
}
