/** Cross-checks of API keys: shape, and names that stand for something. */
import { didYouMean } from "../../errors/did-you-mean.js";
import type { Report } from "../../errors/diagnostics.js";
import { pointerTo } from "../../lib/pointer.js";
import type { ApiKeySettings } from "../../model/policy.js";
import type { ResolvedAuthenticator, ResolvedPolicy } from "../../model/resolved.js";
import { recordProblems } from "./api-key-records.js";
import { isObject } from "./strict-json.js";

export function checkApiKey(
  { pointer, carrier }: ResolvedAuthenticator,
  { keys }: ApiKeySettings,
  policy: ResolvedPolicy,
  report: Report,
): void {
  if (carrier.in === "query") {
    report.warn(
      "api-key-in-query",
      pointerTo(pointer, "in"),
      "an API key in the query ends up in logs, histories and `Referer`",
      "let it travel in a header",
    );
  }
  if ("secret" in keys || "lookup" in keys) return;
  checkRecords(keys, (index) => pointerTo(pointer, "keys", index), policy, report);
  if (keys.length === 0)
    report.error("empty-key-list", pointerTo(pointer, "keys"), "no key is listed, so every key is refused");
}

/** @param pointerOf where the record of that index was written; for a secret, the reference's own place */
export function checkRecords(
  records: readonly unknown[],
  pointerOf: (index: number) => string,
  policy: ResolvedPolicy,
  report: Report,
): void {
  const digests = new Set<string>();
  for (const [index, record] of records.entries()) {
    const pointer = pointerOf(index);
    const which = `key ${index + 1}`;
    const problems = recordProblems(record, true);
    for (const { problem, help } of problems)
      report.error("invalid-api-key", pointer, `${which}: ${problem}`, help);
    if (problems.length > 0 || !isObject(record)) continue;
    const digest = String(record["sha256"]).toLowerCase();
    if (digests.has(digest))
      report.error(
        "duplicate-api-key",
        pointer,
        `${which} has the \`sha256\` of another`,
        "one key is one caller",
      );
    digests.add(digest);
    checkNames(record["roles"], policy.roles.keys(), (name) =>
      unknownName(
        report,
        "unknown-role",
        pointer,
        `${which}: role \`${name}\` is not declared in \`roles\``,
        name,
        policy.roles.keys(),
      ),
    );
    const routes = policy.routes.map(({ key }) => key);
    checkNames(record["routes"], routes, (name) =>
      unknownName(report, "unknown-route", pointer, `${which}: there is no route \`${name}\``, name, routes),
    );
  }
}

function checkNames(names: unknown, known: Iterable<string>, unknown: (name: string) => void): void {
  if (!Array.isArray(names)) return;
  const declared = new Set(known);
  for (const name of names) if (typeof name === "string" && !declared.has(name)) unknown(name);
}

function unknownName(
  report: Report,
  code: string,
  pointer: string,
  message: string,
  name: string,
  known: Iterable<string>,
): void {
  report.error(code, pointer, message, didYouMean(name, known));
}
