/** The document's authenticators → one judge each, shared by all routes, and a stage for each route that authenticates. */
import { parseDuration } from "../../lib/duration.js";
import type { CompiledKind, CompileEnvironment } from "../../model/kind.js";
import type { IntrospectionSettings, JwtSettings } from "../../model/policy.js";
import type { ResolvedAuthenticator, ResolvedPolicy } from "../../model/resolved.js";
import { TOKEN_TYPES } from "../../ports/revocations.js";
import { carrierKey } from "./carrier.js";
import { challengeFields } from "./challenge.js";
import { compileClaims } from "./claims.js";
import { compileKeys } from "./compile-keys.js";
import type { Judge } from "./credential.js";
import { authenticateStage, signatureStage } from "./evaluate.js";
import { authenticateHealth, type KeySets } from "./health.js";
import { identityMaker, type IdentityMaker } from "./identity.js";
import { compileSender, type TokenSettings } from "./compile-sender.js";
import type { DpopNonces } from "./dpop-nonce.js";
import { nonceFields } from "./nonce-fields.js";
import { compileHeader } from "./jose-header.js";
import { jwtJudge, type JwtParts } from "./jwt.js";
import { authenticatorsOf, planRoute } from "./plan.js";
import { compilePrincipalMap, tokenMap } from "./principal-map.js";
import type { KeyRefresher } from "./remote-keys.js";
import { isRemote, type RemoteKeySettings } from "./remote-source.js";
import { ReplayGuard } from "./replay.js";
import { revocable } from "./revocable.js";
import { revocationTerms } from "./revocation-settings.js";
import type * as Seldom from "./seldom.js";
import type { Sender } from "./sender.js";
import { TokenCache } from "./token-cache.js";

export async function compileAuthenticate(
  policy: ResolvedPolicy,
  environment: CompileEnvironment,
): Promise<CompiledKind> {
  const { judges, nonces, keySets } = await compileJudges(policy, environment);
  const realm = policy.document.name;
  const parts = { judges, tools: environment.platform, realm };
  return {
    health: () => authenticateHealth(policy, keySets, environment),
    stages: (route) => {
      if (route.authenticate.mode === "none") return [];
      const stage = authenticateStage(planRoute(route, parts));
      const late = authenticatorsOf(route).some((one) => one.late);
      return late ? [stage, signatureStage(route.authenticate.pointer, route.request.maxBody)] : [stage];
    },
    challenge: (route) => challengeFields(authenticatorsOf(route), realm),
    headers: (route) => nonceFields(authenticatorsOf(route).flatMap(({ name }) => nonces.get(name) ?? [])),
  };
}

async function compileJudges(
  policy: ResolvedPolicy,
  environment: CompileEnvironment,
): Promise<CompiledJudges> {
  const judges = new Map<string, Judge>();
  const revoked = await followRevocations(policy, environment);
  const context: Context = {
    policy,
    environment,
    cache: new TokenCache(),
    remote: new Map(),
    nonces: new Map(),
    keySets: new Map(),
    replay: new ReplayGuard({
      store: environment.store,
      clock: environment.clock,
      deadlineMs: storeDeadline(policy),
    }),
    tokenCarriers: countTokenCarriers(policy),
  };
  for (const authenticator of policy.authenticators.values()) {
    const judge = await compileJudge(authenticator, context);
    if (judge !== undefined) judges.set(authenticator.name, revoked(authenticator, judge));
  }
  return { judges, nonces: context.nonces, keySets: context.keySets };
}

/** Without `revocation` a judge stays as it is: nobody pays for what nobody asked for. */
async function followRevocations(
  { document: { revocation } }: ResolvedPolicy,
  { revocations, lifetime, report }: CompileEnvironment,
): Promise<(authenticator: ResolvedAuthenticator, judge: Judge) => Judge> {
  if (revocation === undefined) return (_authenticator, judge) => judge;
  if (!revocations.supported)
    report.error(
      "store-without-log",
      "/revocation",
      "the store has no log that would tell other processes what is revoked",
      "use a store that has one, or take `revocation` out",
    );
  const terms = revocationTerms(revocation);
  await revocations.follow(terms, lifetime);
  const { onStoreFailure = "closed" } = revocation;
  return ({ settings }, judge) =>
    revocable({ judge, revocations, terms, token: TOKEN_TYPES.has(settings.type), onStoreFailure });
}

function storeDeadline({ document }: ResolvedPolicy): number {
  return parseDuration(document.store?.deadline ?? DEFAULT_STORE_DEADLINE) ?? 0;
}

/** As for limits. */
const DEFAULT_STORE_DEADLINE = "50ms";

interface CompiledJudges {
  readonly judges: ReadonlyMap<string, Judge>;
  /** By name of the authenticator that asks for them. */
  readonly nonces: ReadonlyMap<string, DpopNonces>;
  readonly keySets: KeySets;
}

interface Context {
  readonly policy: ResolvedPolicy;
  readonly environment: CompileEnvironment;
  readonly cache: TokenCache;
  readonly remote: Map<string, Promise<KeyRefresher>>;
  readonly nonces: Map<string, DpopNonces>;
  readonly keySets: Map<KeyRefresher, string[]>;
  readonly replay: ReplayGuard;
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

async function compileJudge(
  authenticator: ResolvedAuthenticator,
  context: Context,
): Promise<Judge | undefined> {
  const { settings } = authenticator;
  const identify = identityMaker(authenticator, context.policy.roles);
  if (settings.type === "jwt") return compileJwt(authenticator, settings, identify, context);
  // One that cannot be loaded is a policy that is not served.
  const { certificateJudge, compileApiKey, compileBasic, compileCustom, compileMessage, compileWebhook } =
    await seldom();
  switch (settings.type) {
    case "api-key":
      return compileApiKey({
        name: authenticator.name,
        pointer: authenticator.pointer,
        settings,
        identify,
        ...context,
      });
    case "introspection":
      return compileIntrospection(authenticator, settings, identify, context);
    case "signature":
      return compileWebhook(settings, { authenticator, identify, ...context });
    case "http-signature":
      return compileMessage(settings, { authenticator, identify, ...context });
    case "basic":
      return compileBasic({ pointer: authenticator.pointer, settings, identify, ...context });
    case "mtls": {
      const judge = certificateJudge(settings.match, identify);
      return (_credential, state) => judge(state);
    }
    case "custom":
      return compileCustom(authenticator.pointer, settings, identify, context.environment);
  }
}

/** Node and bundlers keep what was loaded. */
const seldom = (): Promise<typeof Seldom> => import("./seldom.js");

async function compileIntrospection(
  authenticator: ResolvedAuthenticator,
  settings: IntrospectionSettings,
  identify: IdentityMaker,
  context: Context,
): Promise<Judge | undefined> {
  const { name, pointer } = authenticator;
  const { environment } = context;
  const { compileAnswer, compileClient, introspectionJudge, introspectionMemory } = await seldom();
  const sender = await senderOf(authenticator, settings, context);
  const prove = await compileClient(settings, pointer, environment);
  if (prove === undefined) return undefined;
  const { call, clock } = environment;
  const judge = compileAnswer(settings, pointer, identify, sender);
  return introspectionJudge({
    settings,
    pointer,
    name,
    call,
    prove,
    judge,
    sender,
    memory: introspectionMemory(authenticator, settings, context.policy, environment),
    monotonic: () => clock.monotonic(),
  });
}

async function senderOf(
  authenticator: ResolvedAuthenticator,
  settings: TokenSettings,
  { environment, nonces, replay }: Context,
): Promise<Sender | undefined> {
  const sender = await compileSender(authenticator, settings, replay, environment);
  if (sender?.nonces !== undefined) nonces.set(authenticator.name, sender.nonces);
  return sender;
}

async function compileJwt(
  authenticator: ResolvedAuthenticator,
  settings: JwtSettings,
  identify: IdentityMaker,
  context: Context,
): Promise<Judge> {
  const { policy, environment, cache, tokenCarriers } = context;
  const sender = await senderOf(authenticator, settings, context);
  const parts: JwtParts = {
    pointer: authenticator.pointer,
    index: [...policy.authenticators.keys()].indexOf(authenticator.name),
    several: (tokenCarriers.get(tokenCarrier(authenticator)) ?? 0) > 1,
    cache,
    claims: compileClaims(settings),
    map: compilePrincipalMap(tokenMap(settings.principal)),
    identify,
    sender,
  };
  const { keys } = settings;
  if (!isRemote(keys)) {
    const table = await compileKeys({ ...settings, keys }, authenticator.pointer, environment);
    return jwtJudge(parts, compileHeader(table, settings));
  }
  const refresher = await remoteKeysOf(settings, keys, authenticator.pointer, context);
  const { name } = authenticator;
  context.keySets.set(refresher, [...(context.keySets.get(refresher) ?? []), name]);
  const { remoteJwtJudge } = await seldom();
  return remoteJwtJudge({ ...parts, keys: refresher, name, monotonic: () => environment.clock.monotonic() });
}

/** Authenticators that differ only in whom they let in share the keys, and the cool-down. */
function remoteKeysOf(
  settings: JwtSettings,
  keys: RemoteKeySettings,
  pointer: string,
  { environment, remote }: Context,
): Promise<KeyRefresher> {
  const { algorithms, typ, profile, issuer } = settings;
  const source = JSON.stringify([keys, "discovery" in keys && issuer, [...algorithms].sort(), typ, profile]);
  const known = remote.get(source);
  if (known !== undefined) return known;
  const compiled = seldom().then(({ compileRemoteKeys }) =>
    compileRemoteKeys(settings, keys, pointer, environment),
  );
  remote.set(source, compiled);
  return compiled;
}
