/** Generated policies: as the model reads them, and as the document that says the same. */
import { AUTHENTICATORS, BODY_SCHEMA, CONDITIONS, ROLES, type Carrier } from "./world.js";

export type LimitName = "ip" | "who" | "fail";

export interface ModelEntry {
  readonly roles?: readonly string[];
  readonly scopes?: readonly string[];
  /** Index into CONDITIONS. */
  readonly when?: number;
  readonly forbid?: number;
  readonly stepUp?: {
    readonly acr?: readonly string[];
    /** Days. */
    readonly maxAge?: number;
  };
}
export type ModelAuthenticate = "none" | { readonly optional: boolean; readonly list: readonly Carrier[] };
export type ModelAuthorize = "authenticated" | "anyone" | readonly ModelEntry[];
export interface ModelCors {
  readonly origins: readonly string[];
  readonly credentials: boolean;
  readonly enforce: boolean;
}
export interface ModelCsrf {
  readonly origins: readonly string[];
  readonly unknown?: "refuse" | "allow";
  readonly always?: boolean;
  readonly tokens?: boolean;
}

/** The keys that a group, the defaults and a route share. */
export interface ModelLevel {
  readonly authenticate?: ModelAuthenticate;
  readonly limits?: readonly (LimitName | "inherited")[];
  readonly cors?: ModelCors | "none";
  readonly csrf?: ModelCsrf | "off";
  readonly conceal?: boolean;
  readonly mode?: "enforce" | "observe";
}
export interface ModelGroup extends ModelLevel {
  readonly prefix: readonly string[];
  readonly require?: readonly ModelEntry[];
}
export interface ModelRoute extends ModelLevel {
  readonly methods: readonly string[];
  /** Segments: text, `:x`, or a last `*`. */
  readonly path: readonly string[];
  readonly authorize?: ModelAuthorize;
  readonly body?: boolean;
  readonly schema?: boolean;
}
export interface ModelPolicy {
  readonly mode: "enforce" | "observe";
  readonly https: "require" | "off";
  readonly hosts: boolean;
  readonly cors?: ModelCors | "none";
  readonly csrf?: ModelCsrf | "off";
  readonly globalLimit: boolean;
  readonly defaults: ModelLevel & { readonly authorize?: ModelAuthorize };
  readonly groups: readonly ModelGroup[];
  readonly routes: readonly ModelRoute[];
}

/** Token buckets alone: their arithmetic is a line, so the model can keep it too. */
export const LIMITS = {
  all: { limit: 9, window: "1m", by: "client.ip", algorithm: "token-bucket" },
  ip: { limit: 6, window: "1m", by: "client.ip", algorithm: "token-bucket" },
  who: { limit: 4, window: "1m", by: "principal.id", algorithm: "token-bucket", onMissing: "skip" },
  fail: { limit: 3, window: "1m", by: "client.ip", algorithm: "token-bucket", count: "failures" },
} as const;

export const HOSTS = ["a.test"];

export function documentOf(policy: ModelPolicy): unknown {
  return {
    gatehouse: 1,
    name: "model",
    mode: policy.mode,
    transport: { https: policy.https, ...(policy.hosts ? { hosts: HOSTS } : {}) },
    ...(policy.cors === undefined ? {} : { cors: corsOf(policy.cors) }),
    ...(policy.csrf === undefined ? {} : { csrf: csrfOf(policy.csrf) }),
    revocation: {},
    authenticators: AUTHENTICATORS,
    roles: ROLES,
    limits: LIMITS,
    ...(policy.globalLimit ? { global: { limits: ["all"] } } : {}),
    defaults: {
      ...levelOf(policy.defaults),
      ...(policy.defaults.authorize === undefined
        ? {}
        : { authorize: authorizeOf(policy.defaults.authorize) }),
    },
    groups: Object.fromEntries(
      policy.groups.map((group) => [
        `/${group.prefix.join("/")}`,
        {
          ...levelOf(group),
          ...(group.require === undefined ? {} : { require: authorizeOf(group.require) }),
        },
      ]),
    ),
    routes: Object.fromEntries(policy.routes.map((route) => [routeKey(route), routeOf(route)])),
  };
}

export function routeKey(route: ModelRoute): string {
  return `${route.methods.join("|")} /${route.path.join("/")}`;
}

function routeOf(route: ModelRoute): unknown {
  return {
    ...levelOf(route),
    ...(route.authorize === undefined ? {} : { authorize: authorizeOf(route.authorize) }),
    ...(route.body === true ? { request: { body: BODY_SCHEMA } } : {}),
    ...(route.schema === true
      ? { response: { body: { type: "object", properties: { id: { type: "string" } } } } }
      : {}),
  };
}

function levelOf(level: ModelLevel): Record<string, unknown> {
  const { authenticate, limits, cors, csrf, conceal, mode } = level;
  return {
    ...(authenticate === undefined ? {} : { authenticate: authenticateOf(authenticate) }),
    ...(limits === undefined ? {} : { limits }),
    ...(cors === undefined ? {} : { cors: corsOf(cors) }),
    ...(csrf === undefined ? {} : { csrf: csrfOf(csrf) }),
    ...(conceal === undefined ? {} : { conceal }),
    ...(mode === undefined ? {} : { mode }),
  };
}

function authenticateOf(authenticate: ModelAuthenticate): unknown {
  if (authenticate === "none") return "none";
  return authenticate.optional ? ["optional", ...authenticate.list] : authenticate.list;
}

function corsOf(cors: ModelCors | "none"): unknown {
  return cors === "none" ? "none" : cors;
}

function csrfOf(csrf: ModelCsrf | "off"): unknown {
  if (csrf === "off") return "off";
  const { tokens, ...rest } = csrf;
  return { ...rest, ...(tokens === true ? { tokens: { keys: [{ secret: "env:CSRF" }] } } : {}) };
}

function stepUpOf({ acr, maxAge }: NonNullable<ModelEntry["stepUp"]>): unknown {
  return {
    ...(acr === undefined ? {} : { acr }),
    ...(maxAge === undefined ? {} : { maxAge: `${maxAge}d` }),
  };
}

function authorizeOf(authorize: ModelAuthorize): unknown {
  if (typeof authorize === "string") return authorize;
  return authorize.map(({ roles, scopes, when, forbid, stepUp }) => ({
    ...(roles === undefined ? {} : { roles }),
    ...(scopes === undefined ? {} : { scopes }),
    ...(when === undefined ? {} : { when: CONDITIONS[when]?.text }),
    ...(forbid === undefined ? {} : { forbid: CONDITIONS[forbid]?.text }),
    ...(stepUp === undefined ? {} : { stepUp: stepUpOf(stepUp) }),
  }));
}
