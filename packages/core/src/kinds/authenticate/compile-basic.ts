/** Users out of a secret, each of whom can be told from the others. */
import { didYouMean } from "../../errors/did-you-mean.js";
import { strictText } from "../../lib/bytes.js";
import { parseDuration } from "../../lib/duration.js";
import { pointerTo } from "../../lib/pointer.js";
import type { CompileEnvironment } from "../../model/kind.js";
import type { BasicSettings } from "../../model/policy.js";
import type { ResolvedPolicy } from "../../model/resolved.js";
import { basicJudge } from "./basic.js";
import { compileUser, userProblems } from "./basic-records.js";
import { DEFAULT_CACHE } from "./check-basic.js";
import type { Judge } from "./credential.js";
import type { IdentityMaker } from "./identity.js";
import { isList, isObject, parseJson } from "./strict-json.js";

export interface BasicCompileParts {
  readonly pointer: string;
  readonly settings: BasicSettings;
  readonly identify: IdentityMaker;
  readonly policy: ResolvedPolicy;
  readonly environment: CompileEnvironment;
}

export async function compileBasic(parts: BasicCompileParts): Promise<Judge> {
  const { settings, identify, environment } = parts;
  const decode = environment.platform.decodeBase64Url;
  const records = await usersOfSecret(parts);
  return basicJudge({
    pointer: parts.pointer,
    users: records.flatMap((record) => compileUser(record, identify, decode) ?? []),
    platform: environment.platform,
    cacheUs: (parseDuration(settings.cacheFor ?? DEFAULT_CACHE) ?? 0) * 1000,
  });
}

async function usersOfSecret(parts: BasicCompileParts): Promise<readonly unknown[]> {
  const { settings, environment } = parts;
  const { report } = environment;
  const { secret } = settings.users;
  const pointer = pointerTo(parts.pointer, "users");
  const bytes = await environment.secret(secret, pointer);
  if (bytes === undefined) return [];
  const records = parseJson((strictText(bytes) ?? "").replace(/^\uFEFF/u, ""));
  if (!isList(records)) {
    report.error("invalid-user", pointer, `\`${secret}\` holds no JSON list of users`);
    return [];
  }
  if (records.length === 0)
    report.error("invalid-user", pointer, `\`${secret}\` lists no user, so every password is refused`);
  const names = new Set<string>();
  for (const [index, record] of records.entries())
    checkUser(record, `user ${index + 1}`, pointer, names, parts);
  return records;
}

/** The secret's own words are not repeated: only which entry, and the names of roles and routes. */
function checkUser(
  record: unknown,
  which: string,
  pointer: string,
  names: Set<string>,
  { policy, environment: { platform, report } }: BasicCompileParts,
): void {
  const problems = userProblems(record, platform.decodeBase64Url);
  for (const { problem, help } of problems)
    report.error("invalid-user", pointer, `${which}: ${problem}`, help);
  if (problems.length > 0 || !isObject(record)) return;
  const name = String(record["id"]).normalize("NFC");
  if (names.has(name)) report.error("invalid-user", pointer, `${which} has the \`id\` of another`);
  names.add(name);
  const routes = policy.routes.map(({ key }) => key);
  for (const role of unknownIn(record["roles"], policy.roles.keys())) {
    const message = `${which}: role \`${role}\` is not declared in \`roles\``;
    report.error("unknown-role", pointer, message, didYouMean(role, policy.roles.keys()));
  }
  for (const route of unknownIn(record["routes"], routes))
    report.error(
      "unknown-route",
      pointer,
      `${which}: there is no route \`${route}\``,
      didYouMean(route, routes),
    );
}

function unknownIn(names: unknown, known: Iterable<string>): readonly string[] {
  const declared = new Set(known);
  return isList(names)
    ? names.filter((name): name is string => typeof name === "string" && !declared.has(name))
    : [];
}
