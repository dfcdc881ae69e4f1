/** The document's authenticators → one judge each, shared by all routes, and a stage for each route that authenticates. */
import { didYouMean } from "../../errors/did-you-mean.js";
import { strictText } from "../../lib/bytes.js";
import { pointerTo } from "../../lib/pointer.js";
import type { CompiledKind, CompileEnvironment } from "../../model/kind.js";
import type { ApiKeySettings, CustomSettings, JwtSettings } from "../../model/policy.js";
import type { ResolvedAuthenticator, ResolvedPolicy } from "../../model/resolved.js";
import { listedKeyJudge, lookupKeyJudge } from "./api-key.js";
import { compileRecord } from "./api-key-records.js";
import { carrierKey } from "./carrier.js";
import { challengeFields } from "./challenge.js";
import { checkRecords } from "./check-api-key.js";
import { compileClaims } from "./claims.js";
import { compileKeys } from "./compile-keys.js";
import { customJudge } from "./custom.js";
import { authenticateStage } from "./evaluate.js";
import { identityMaker, type IdentityMaker } from "./identity.js";
import { compileHeader } from "./jose-header.js";
import { jwtJudge, type Judge } from "./jwt.js";
import { authenticatorsOf, planRoute } from "./plan.js";
import { compilePrincipalMap, tokenMap } from "./principal-map.js";
import { TokenCache } from "./token-cache.js";

export async function compileAuthenticate(
  policy: ResolvedPolicy,
  environment: CompileEnvironment,
): Promise<CompiledKind> {
  const judges = await compileJudges(policy, environment);
  const realm = policy.document.name;
  const parts = { judges, hashes: environment.platform, realm };
  return {
    stages: (route) =>
      route.authenticate.mode === "none" ? [] : [authenticateStage(planRoute(route, parts))],
    challenge: (route) => challengeFields(authenticatorsOf(route), realm),
  };
}

async function compileJudges(
  policy: ResolvedPolicy,
  environment: CompileEnvironment,
): Promise<ReadonlyMap<string, Judge>> {
  const judges = new Map<string, Judge>();
  const context: Context = {
    policy,
    environment,
    cache: new TokenCache(),
    tokenCarriers: countTokenCarriers(policy),
  };
  for (const authenticator of policy.authenticators.values()) {
    const judge = await compileJudge(authenticator, context);
    if (judge !== undefined) judges.set(authenticator.name, judge);
  }
  return judges;
}

interface Context {
  readonly policy: ResolvedPolicy;
  readonly environment: CompileEnvironment;
  readonly cache: TokenCache;
  /** How many issuers' tokens may stand in one place. */
  readonly tokenCarriers: ReadonlyMap<string, number>;
}

function tokenCarrier({ carrier }: ResolvedAuthenticator): string {
  return `${carrierKey(carrier)} ${carrier.scheme ?? ""}`;
}

function countTokenCarriers(policy: ResolvedPolicy): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const one of policy.authenticators.values()) {
    if (one.settings.type === "jwt") counts.set(tokenCarrier(one), (counts.get(tokenCarrier(one)) ?? 0) + 1);
  }
  return counts;
}

function compileJudge(authenticator: ResolvedAuthenticator, context: Context): Promise<Judge | undefined> {
  const { settings } = authenticator;
  const identify = identityMaker(authenticator, context.policy.roles);
  switch (settings.type) {
    case "jwt":
      return compileJwt(authenticator, settings, identify, context);
    case "api-key":
      return compileApiKey(authenticator, settings, identify, context);
    case "custom":
      return Promise.resolve(compileCustom(authenticator, settings, identify, context.environment));
  }
}

async function compileJwt(
  authenticator: ResolvedAuthenticator,
  settings: JwtSettings,
  identify: IdentityMaker,
  { policy, environment, cache, tokenCarriers }: Context,
): Promise<Judge> {
  const keys = await compileKeys(settings, authenticator.pointer, environment);
  return jwtJudge({
    pointer: authenticator.pointer,
    index: [...policy.authenticators.keys()].indexOf(authenticator.name),
    several: (tokenCarriers.get(tokenCarrier(authenticator)) ?? 0) > 1,
    cache,
    header: compileHeader(keys, settings.typ),
    claims: compileClaims(settings),
    map: compilePrincipalMap(tokenMap(settings.principal)),
    identify,
  });
}

async function compileApiKey(
  { pointer: base }: ResolvedAuthenticator,
  { keys }: ApiKeySettings,
  identify: IdentityMaker,
  { policy, environment }: Context,
): Promise<Judge | undefined> {
  const pointer = pointerTo(base, "keys");
  const equal = environment.platform.equalInConstantTime;
  if ("lookup" in keys) {
    const lookup = ownEntry(environment.lookups, keys.lookup);
    if (lookup !== undefined) return lookupKeyJudge(lookup, pointer, identify, equal);
    reportUnknown("lookups", keys.lookup, environment.lookups, pointerTo(pointer, "lookup"), environment);
    return undefined;
  }
  const records = "secret" in keys ? await recordsOfSecret(keys.secret, pointer, policy, environment) : keys;
  return listedKeyJudge(
    records.flatMap((record) => compileRecord(record, identify) ?? []),
    equal,
  );
}

async function recordsOfSecret(
  reference: string,
  pointer: string,
  policy: ResolvedPolicy,
  environment: CompileEnvironment,
): Promise<readonly unknown[]> {
  const bytes = await environment.secret(reference, pointer);
  if (bytes === undefined) return [];
  const records = parsed(strictText(bytes) ?? "");
  if (!Array.isArray(records)) {
    environment.report.error(
      "invalid-api-key",
      pointer,
      `\`${reference}\` holds no JSON list of key records`,
    );
    return [];
  }
  checkRecords(records, () => pointer, policy, environment.report);
  return records;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/u, ""));
  } catch {
    return undefined;
  }
}

function compileCustom(
  { pointer }: ResolvedAuthenticator,
  settings: CustomSettings,
  identify: IdentityMaker,
  environment: CompileEnvironment,
): Judge | undefined {
  const code = ownEntry(environment.authenticators, settings.use);
  if (code !== undefined) return customJudge({ settings, pointer, code, identify });
  reportUnknown(
    "authenticators",
    settings.use,
    environment.authenticators,
    pointerTo(pointer, "use"),
    environment,
  );
  return undefined;
}

function ownEntry<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function reportUnknown(
  option: string,
  name: string,
  given: Readonly<Record<string, unknown>>,
  pointer: string,
  { report }: CompileEnvironment,
): void {
  const help = didYouMean(name, Object.keys(given)) ?? `hand it to createEngine in \`${option}\``;
  report.error("unknown-function", pointer, `\`${option}\` has no function \`${name}\``, help);
}
