/** Settings of `shed` that could only misfire while serving. */
import type { Report } from "../../errors/diagnostics.js";
import { didYouMean } from "../../errors/did-you-mean.js";
import { parseDuration } from "../../lib/duration.js";
import { pointerTo } from "../../lib/pointer.js";
import { sortedEntries } from "../../lib/sorted.js";
import type { ShedSettings } from "../../model/policy.js";
import type { ResolvedPolicy } from "../../model/resolved.js";
import { classOf, DEFAULT_CLASS, NEVER, partOf } from "./classes.js";

export function checkShed(policy: ResolvedPolicy, report: Report): void {
  const { shed } = policy.document;
  if (shed === undefined) return checkUnshed(policy, report);
  checkSignal(shed, report);
  checkRetryAfter(shed, report);
  checkNames(policy, shed, report);
  checkShares(policy, shed, report);
}

/** Whoever names a class believes that something is shed. */
function checkUnshed({ routes }: ResolvedPolicy, report: Report): void {
  for (const { shed } of routes) {
    if (shed === undefined) continue;
    report.error(
      "setting-without-effect",
      shed.pointer,
      `\`shed\` is \`${shed.value}\` here, and the document has no \`shed\``,
      "write `shed` at the top of the document, or leave the key out",
    );
  }
}

function checkSignal({ signal, target, limit }: ShedSettings, report: Report): void {
  if (signal === "event-loop") {
    if (limit !== undefined) useless("limit", "concurrency", report);
    if (target !== undefined) checkTarget(target, report);
    return;
  }
  if (target !== undefined) useless("target", "event-loop", report);
  if (limit !== undefined) return;
  report.error(
    "missing-key",
    "/shed",
    "`limit` is missing",
    "write how many requests may be in flight, as in `200`",
  );
}

function useless(key: string, signal: string, report: Report): void {
  report.error(
    "setting-without-effect",
    `/shed/${key}`,
    `\`${key}\` belongs to the signal \`${signal}\``,
    `leave it out, or write \`"signal": "${signal}"\``,
  );
}

function checkTarget(target: string, report: Report): void {
  const ms = parseDuration(target) ?? 0;
  if (ms >= 10 && ms <= 10_000) return;
  report.error(
    "out-of-range",
    "/shed/target",
    `\`${target}\` is no delay of the event loop that can be kept`,
    "write a duration from `10ms` to `10s`",
  );
}

function checkRetryAfter({ retryAfter }: ShedSettings, report: Report): void {
  if (retryAfter === undefined) return;
  const seconds = (parseDuration(retryAfter) ?? 0) / 1000;
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= 3600) return;
  report.error(
    "out-of-range",
    "/shed/retryAfter",
    `\`${retryAfter}\` is nothing that \`Retry-After\` can say`,
    "write whole seconds, from `1s` to `1h`",
  );
}

function checkNames({ routes }: ResolvedPolicy, { classes = {} }: ShedSettings, report: Report): void {
  const known = new Set([...Object.keys(classes), DEFAULT_CLASS, NEVER]);
  for (const { shed } of routes) {
    if (shed === undefined || known.has(shed.value)) continue;
    report.error(
      "unknown-class",
      shed.pointer,
      `unknown class \`${shed.value}\``,
      didYouMean(shed.value, known) ?? "give it a share in `shed.classes`, or write `default` or `never`",
    );
  }
  const used = new Set(routes.map(classOf));
  for (const [name] of sortedEntries(classes)) {
    if (used.has(name)) continue;
    report.error(
      "unused-class",
      pointerTo("/shed/classes", name),
      `a share is kept for \`${name}\`, and no route is of that class`,
      `write \`"shed": "${name}"\` on a route, a group or the defaults, or leave the class out`,
    );
  }
}

function checkShares({ routes }: ResolvedPolicy, settings: ShedSettings, report: Report): void {
  const { classes = {}, limit } = settings;
  const shares = sortedEntries(classes);
  const together = shares.reduce((sum, [, share]) => sum + share, 0);
  if (together > 1 + 1e-9) {
    report.error(
      "out-of-range",
      "/shed/classes",
      "the shares together are more than 1",
      "a share is a part of one whole: make them smaller",
    );
    return;
  }
  const whole = settings.signal === "concurrency" ? limit : undefined;
  for (const [name, share] of shares) {
    if (whole === undefined || partOf(share, whole) >= 1) continue;
    report.error(
      "out-of-range",
      pointerTo("/shed/classes", name),
      `\`${share}\` of ${whole} is less than one request`,
      `write at least \`${leastShare(whole)}\``,
    );
  }
  const kept =
    whole === undefined ? together : shares.reduce((sum, [, share]) => sum + partOf(share, whole), 0);
  const without =
    !Object.hasOwn(classes, DEFAULT_CLASS) && routes.some((route) => classOf(route) === DEFAULT_CLASS);
  if (!without || kept < (whole ?? 1 - 1e-9)) return;
  report.error(
    "out-of-range",
    "/shed/classes",
    "the classes leave nothing to the routes that are of none",
    "make a share smaller, or give `default` one",
  );
}

function leastShare(whole: number): number {
  return Math.ceil(1000 / whole) / 1000;
}
