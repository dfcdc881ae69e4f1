/** The kind compiled from a whole document, one route's stage run on a state: what unit tests of authenticators need. */
import { SignJWT, type JWTPayload } from "jose";
import { resolvePolicy } from "../../compile/resolve.js";
import { Report, type Diagnostic } from "../../errors/diagnostics.js";
import { utf8 } from "../../lib/bytes.js";
import type { JwsAlgorithm } from "../../lib/jws.js";
import type { CompiledRoute } from "../../model/compiled.js";
import type { CompileEnvironment } from "../../model/kind.js";
import type { Verdict } from "../../model/outcome.js";
import type { PolicyDocument } from "../../model/policy.js";
import type { Identity } from "../../model/principal.js";
import { stateFor, type StateOptions, type TestState } from "../../model/state.test-support.js";
import { outwardCall } from "../../outward/call.js";
import { PolicyLifetime } from "../../outward/lifetime.js";
import { keyPair, signatureOf } from "../../platform/keys.test-support.js";
import { platform as node } from "../../platform/node.js";
import type { ApiKeyLookup, CustomAuthenticator, KeySeen } from "../../ports/application.js";
import type { Fetch } from "../../ports/outward.js";
import type { Clock } from "../../ports/clock.js";
import type { Platform } from "../../ports/platform.js";
import type { StateStore } from "../../ports/state-store.js";
import type { Revocations } from "../../ports/revocations.js";
import { createMemoryStore, StoreRevocations } from "../../store/index.js";
import { authenticateKind } from "./index.js";

export const NOW = Date.UTC(2026, 5, 1, 12);
export const SECONDS = NOW / 1000;

export interface SetUp {
  readonly platform?: Platform;
  readonly secrets?: Readonly<Record<string, string | Uint8Array>>;
  /** What secrets were before, and still verify. */
  readonly former?: Readonly<Record<string, readonly string[]>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly authenticators?: Readonly<Record<string, CustomAuthenticator>>;
  readonly lookups?: Readonly<Record<string, ApiKeyLookup>>;
  readonly lastSeen?: Readonly<Record<string, KeySeen>>;
  readonly fetch?: Fetch;
  readonly lifetime?: PolicyLifetime;
  readonly store?: StateStore;
  readonly clock?: Clock;
  readonly revocations?: Revocations;
}

export interface Outcome {
  readonly verdict: Verdict;
  readonly identity: Identity | undefined;
  readonly state: TestState;
  /** True when the stage answered without a promise. */
  readonly synchronous: boolean;
}

export interface Compiled {
  /** Fields that the policy owes on an answer to this request. */
  fields(route: string, options?: StateOptions): readonly (readonly [string, string])[];
  readonly diagnostics: readonly Diagnostic[];
  run(route: string, options?: StateOptions): Promise<Outcome>;
  /** `WWW-Authenticate` that the route owes on a 401 from elsewhere. */
  challenge(route: string): unknown;
}

export type DocumentParts = Omit<Partial<PolicyDocument>, "authenticators"> & {
  readonly authenticators: Readonly<Record<string, unknown>>;
};

export function documentOf(parts: DocumentParts): PolicyDocument {
  const document: unknown = {
    gatehouse: 1,
    name: "t",
    transport: { https: "off" },
    routes: { "GET /": { authorize: "authenticated" } },
    ...parts,
  };
  return document as PolicyDocument;
}

/** Diagnostics of the checks alone. */
export function checkOf(parts: DocumentParts): readonly Diagnostic[] {
  const report = new Report();
  const policy = resolvePolicy(documentOf(parts), report);
  if (policy !== undefined) authenticateKind.check(policy, report);
  return report.diagnostics;
}

/** Check and compile, as the engine does it; the compiled kind is unusable when there are errors. */
export async function compiled(parts: DocumentParts, setUp: SetUp = {}): Promise<Compiled> {
  const report = new Report();
  const policy = resolvePolicy(documentOf(parts), report);
  if (policy === undefined) throw new Error(JSON.stringify(report.diagnostics));
  authenticateKind.check(policy, report);
  const failed = report.failed;
  const kind = failed ? {} : await authenticateKind.compile(policy, environmentOf(setUp, report));
  const stages = new Map(policy.routes.map((route) => [route.key, kind.stages?.(route) ?? []]));
  return {
    diagnostics: report.diagnostics,
    async run(key, options = {}) {
      const state = stateFor({ route: { key } as CompiledRoute, ...options });
      const [stage] = stages.get(key) ?? [];
      const answer = stage?.run(state);
      return {
        verdict: await answer,
        identity: state.identity,
        state,
        synchronous: !(answer instanceof Promise),
      };
    },
    fields(key, options = {}) {
      const route = policy.routes.find((one) => one.key === key);
      const fields: [string, string][] = [];
      const contribution = route === undefined ? undefined : kind.headers?.(route);
      contribution?.dynamic?.(stateFor(options), {
        set: (name, value) => fields.push([name, value]),
        add: ([name, value]) => fields.push([name, value]),
      });
      return fields;
    },
    challenge(key) {
      const route = policy.routes.find((one) => one.key === key);
      return route === undefined ? undefined : kind.challenge?.(route);
    },
  };
}

function environmentOf(setUp: SetUp, report: Report): CompileEnvironment {
  const { files } = setUp;
  const base = setUp.platform ?? node;
  const store = setUp.store ?? createMemoryStore({ maxKeys: 1024 });
  return {
    store,
    revocations: setUp.revocations ?? new StoreRevocations(store, base.clock),
    platform: base,
    ...(base.readFile !== undefined && {
      textFile: (path: string) => {
        const text = files?.[path];
        return Promise.resolve(text === undefined ? { problem: `\`${path}\` cannot be read` } : { text });
      },
    }),
    clock: setUp.clock ?? { now: () => NOW, monotonic: () => 1000 },
    secret(reference) {
      const secret = setUp.secrets?.[reference];
      if (secret === undefined) report.error("unresolved-secret", "", `no \`${reference}\``);
      return Promise.resolve(typeof secret === "string" ? utf8(secret) : secret);
    },
    formerSecrets: (reference) =>
      Promise.resolve((setUp.former?.[reference] ?? []).map((text) => utf8(text))),
    secrets: undefined,
    checks: {},
    authenticators: setUp.authenticators ?? {},
    lookups: setUp.lookups ?? {},
    lastSeen: setUp.lastSeen ?? {},
    keepsEvents: false,
    schemas: () => Promise.reject(new Error("this kind has no schemas")),
    html: () => Promise.reject(new Error("this kind sanitizes nothing")),
    call: outwardCall(setUp.fetch, new AbortController().signal),
    lifetime: setUp.lifetime ?? new PolicyLifetime(),
    revision: "r",
    report,
  };
}

export const bearer = (token: string): StateOptions => ({
  headerFields: { authorization: `Bearer ${token}` },
});

/** What came out, short enough to stand in a table: the principal's id, `anonymous`, or the code. */
export function summary({ verdict, identity }: Outcome): string {
  if (verdict === undefined)
    return identity === undefined ? "anonymous" : `${identity.authenticator}:${identity.principal.id}`;
  return verdict.kind === "refusal" ? verdict.code : verdict.kind;
}

export const CLAIMS: JWTPayload = Object.freeze({
  iss: "https://id.test/",
  aud: "api",
  sub: "ann",
  iat: SECONDS,
  exp: SECONDS + 300,
});

/** Good settings for `jwt`, to be varied. */
export const JWT: Readonly<Record<string, unknown>> = Object.freeze({
  type: "jwt",
  issuer: "https://id.test/",
  audience: "api",
  algorithms: ["ES256"],
  keys: { jwks: { keys: [{ ...jwkOf("P-256"), kid: "k1" }] } },
});

export function jwkOf(kind: Parameters<typeof keyPair>[0], name = ""): Record<string, unknown> {
  return { ...keyPair(kind, name).publicKey.export({ format: "jwk" }) };
}

/** Signed by jose, so that what is accepted is what others issue. */
export function signed(
  claims: Readonly<Record<string, unknown>> = {},
  header: Readonly<Record<string, unknown>> = {},
  key: Parameters<SignJWT["sign"]>[0] = keyPair("P-256").privateKey,
): Promise<string> {
  const payload = withoutUndefined({ ...CLAIMS, ...claims });
  const protectedHeader = withoutUndefined({ alg: "ES256", kid: "k1", typ: "at+jwt", ...header });
  return new SignJWT(payload)
    .setProtectedHeader({ alg: "ES256", ...protectedHeader })
    .sign(key, { crit: { exp: true } });
}

function withoutUndefined(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

/** Any text as header and payload, well signed: what no library would issue. */
export function forged(
  header: unknown,
  payload: unknown,
  key: Parameters<typeof signatureOf>[1] = keyPair("P-256").privateKey,
  algorithm: JwsAlgorithm = "ES256",
): string {
  const text = (value: unknown): string =>
    Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
  const input = `${text(header)}.${text(payload)}`;
  return `${input}.${Buffer.from(signatureOf(algorithm, key, input)).toString("base64url")}`;
}

export const HEADER: Readonly<Record<string, unknown>> = Object.freeze({
  alg: "ES256",
  kid: "k1",
  typ: "at+jwt",
});
