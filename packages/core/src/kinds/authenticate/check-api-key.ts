/** Cross-checks of API keys: shape, and names that stand for something. */
import { didYouMean } from "../../errors/did-you-mean.js";
import type { Report } from "../../errors/diagnostics.js";
import { pointerTo } from "../../lib/pointer.js";
import type { ApiKeySettings } from "../../model/policy.js";
import type { ResolvedAuthenticator, ResolvedPolicy } from "../../model/resolved.js";
import { recordProblems } from "./api-key-records.js";
import { checkFailures } from "./check-failures.js";
import { isList, isObject } from "./strict-json.js";

export function checkApiKey(
  { pointer, carrier }: ResolvedAuthenticator,
  { keys, failures }: ApiKeySettings,
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
  if (failures !== undefined && !("lookup" in keys)) {
    const help = "it spares a lookup, and here is none";
    report.error(
      "setting-without-effect",
      pointerTo(pointer, "failures"),
      "`failures` means nothing here",
      help,
    );
  }
  checkFailures(failures, pointer, report);
  if ("secret" in keys || "lookup" in keys) return;
  checkRecords(keys, (index, ...within) => pointerTo(pointer, "keys", index, ...within), policy, report);
  if (keys.length === 0)
    report.error("empty-key-list", pointerTo(pointer, "keys"), "no key is listed, so every key is refused");
}

/** Where a part of the record of that index was written; for a secret, the reference's own place. */
type PointerOf = (index: number, ...within: readonly (string | number)[]) => string;

export function checkRecords(
  records: readonly unknown[],
  pointerOf: PointerOf,
  policy: ResolvedPolicy,
  report: Report,
): void {
  const digests = new Set<string>();
  const routes = policy.routes.map(({ key }) => key);
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
    for (const [at, role] of unknownIn(record["roles"], policy.roles.keys())) {
      const message = `${which}: role \`${role}\` is not declared in \`roles\``;
      report.error(
        "unknown-role",
        pointerOf(index, "roles", at),
        message,
        didYouMean(role, policy.roles.keys()),
      );
    }
    for (const [at, route] of unknownIn(record["routes"], routes)) {
      const message = `${which}: there is no route \`${route}\``;
      report.error("unknown-route", pointerOf(index, "routes", at), message, didYouMean(route, routes));
    }
  }
}

function unknownIn(names: unknown, known: Iterable<string>): readonly (readonly [number, string])[] {
  if (!isList(names)) return [];
  const declared = new Set(known);
  return [...names.entries()].flatMap(([at, name]) =>
    typeof name === "string" && !declared.has(name) ? [[at, name] as const] : [],
  );
}
