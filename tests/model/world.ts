/**
 * The world of the model: people, credentials, limits, schemas and conditions that generated policies are made of.
 * A condition stands beside a function that says what it means: the model never reads CEL.
 */
import { createHmac, createHash } from "node:crypto";
import type { ApiKeyLookup } from "@gatehouse/core";

export const SECRET = "0123456789abcdef0123456789abcdef";
export const NOW = Date.UTC(2026, 5, 1, 12);

/** Minutes between the issue of every token and NOW. */
export const ISSUED_BEFORE = 10;

export interface Person {
  readonly id: string;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  readonly tenant: string;
  /** How this person logged in, if that is known. */
  readonly acr?: string;
  /** Days before NOW. No test goes on for long enough to matter. */
  readonly loggedIn?: number;
}

const people = {
  ann: {
    id: "ann",
    roles: ["customer"],
    scopes: ["read", "write"],
    tenant: "acme",
    acr: "mfa",
    loggedIn: 10,
  },
  bob: { id: "bob", roles: ["clerk"], scopes: ["read"], tenant: "acme", acr: "pwd", loggedIn: 0 },
  eve: { id: "eve", roles: ["customer"], scopes: [], tenant: "globex" },
  cleo: {
    id: "cleo",
    roles: ["admin"],
    scopes: ["read", "write"],
    tenant: "acme",
    acr: "mfa",
    loggedIn: 0,
  },
} as const satisfies Record<string, Person>;

export const ROLES: Readonly<Record<string, readonly string[]>> = {
  admin: ["clerk"],
  clerk: ["customer"],
  customer: [],
};

/** What a credential on one carrier is worth to the authenticator that reads it. */
export interface Credential {
  readonly carrier: Carrier;
  /** Undefined: it is bad. */
  readonly person: Person | undefined;
  readonly fields: readonly (readonly [string, string])[];
}

export type Carrier = "key" | "sid" | "user" | "found";
export const CARRIERS: readonly Carrier[] = ["key", "sid", "user", "found"];

const apiKey = (name: string): string => `api-key-of-${name}`;
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const record = (person: Person, prefix: string) => ({
  id: person.id,
  sha256: sha256(prefix + apiKey(person.id)),
  roles: person.roles,
  scopes: person.scopes,
  attributes: { tenant: person.tenant, ...loginOf(person) },
});

function loginOf({ acr, loggedIn }: Person): Readonly<Record<string, unknown>> {
  return {
    ...(acr === undefined ? {} : { acr }),
    ...(loggedIn === undefined ? {} : { auth_time: NOW / 1000 - loggedIn * 86_400 }),
  };
}

function token(person: Person, changes: Readonly<Record<string, unknown>> = {}): string {
  const seconds = NOW / 1000;
  const claims = {
    iss: "https://id.example.test/",
    aud: "api",
    sub: person.id,
    roles: person.roles,
    scope: person.scopes.join(" "),
    tenant: person.tenant,
    ...loginOf(person),
    jti: `token-of-${person.id}`,
    sid: `session-of-${person.id}`,
    // Before anything is revoked.
    iat: seconds - 60 * ISSUED_BEFORE,
    exp: seconds + 86_400,
    ...changes,
  };
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const input = `${encode({ alg: "HS256", typ: "at+jwt" })}.${encode(claims)}`;
  return `${input}.${createHmac("sha256", SECRET).update(input).digest("base64url")}`;
}

const everybody: readonly Person[] = Object.values(people);

export const CREDENTIALS: readonly Credential[] = [
  ...everybody.map((person): Credential => ({
    carrier: "key",
    person,
    fields: [["X-API-Key", apiKey(person.id)]],
  })),
  ...everybody.map((person): Credential => ({
    carrier: "sid",
    person,
    fields: [["Cookie", `sid=c-${apiKey(person.id)}`]],
  })),
  ...everybody.map((person): Credential => ({
    carrier: "user",
    person,
    fields: [["Authorization", `Bearer ${token(person)}`]],
  })),
  ...everybody.map((person): Credential => ({
    carrier: "found",
    person,
    fields: [["X-Found", `f-${apiKey(person.id)}`]],
  })),
  { carrier: "found", person: undefined, fields: [["X-Found", "nobody's"]] },
  { carrier: "found", person: undefined, fields: [["X-Found", "somebody's"]] },
  { carrier: "key", person: undefined, fields: [["X-API-Key", "nobody's"]] },
  { carrier: "key", person: undefined, fields: [["X-API-Key", ""]] },
  { carrier: "sid", person: undefined, fields: [["Cookie", "sid=nobody's"]] },
  { carrier: "user", person: undefined, fields: [["Authorization", "Bearer a.b.c"]] },
  { carrier: "user", person: undefined, fields: [["Authorization", "Basic YTpi"]] },
  {
    carrier: "user",
    person: undefined,
    fields: [["Authorization", `Bearer ${token(people.ann, { aud: "other" })}`]],
  },
  {
    carrier: "user",
    person: undefined,
    fields: [["Authorization", `Bearer ${token(people.ann, { exp: NOW / 1000 - 1 })}`]],
  },
  {
    // Bound to a key: as Bearer it is a stolen one.
    carrier: "user",
    person: undefined,
    fields: [
      [
        "Authorization",
        `Bearer ${token(people.cleo, { cnf: { jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } })}`,
      ],
    ],
  },
  { carrier: "user", person: undefined, fields: [["Authorization", `Bearer ${token(people.ann)}x`]] },
];

export const AUTHENTICATORS = {
  key: {
    type: "api-key",
    in: "header",
    name: "X-API-Key",
    keys: everybody.map((person) => record(person, "")),
  },
  sid: { type: "api-key", in: "cookie", name: "sid", keys: everybody.map((person) => record(person, "c-")) },
  found: {
    type: "api-key",
    in: "header",
    name: "X-Found",
    keys: { lookup: "find" },
    failures: { limit: 2, window: "1m" },
  },
  user: {
    type: "jwt",
    issuer: "https://id.example.test/",
    audience: "api",
    algorithms: ["HS256"],
    keys: { secret: "env:SECRET" },
    principal: { id: "sub", roles: "roles", scopes: "scope", tenant: "tenant" },
  },
} as const;

const found = new Map(
  everybody.map((person) => {
    const known = record(person, "f-");
    return [known.sha256, known];
  }),
);
export const find: ApiKeyLookup = (hash) => found.get(hash);

/** What is revoked between two requests, of whom on which carrier. */
export interface Revoked {
  readonly carrier: Carrier;
  readonly person: string;
  readonly by: "jti" | "sid" | "id" | "id, but for what came later";
}

/** What a condition may look at in the model. */
export interface Facts {
  readonly person: Person | undefined;
  /** With all that they include. */
  readonly roles: ReadonlySet<string>;
  readonly params: Readonly<Record<string, string>>;
  readonly method: string;
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

export type Meaning = boolean | "error";

export interface ModelCondition {
  readonly text: string;
  readonly reads: readonly ("principal" | "param" | "body")[];
  readonly means: (facts: Facts) => Meaning;
}

export const CONDITIONS: readonly ModelCondition[] = [
  { text: "true", reads: [], means: () => true },
  { text: "request.method == 'GET'", reads: [], means: ({ method }) => method === "GET" },
  {
    text: "principal.tenant == 'acme'",
    reads: ["principal"],
    means: ({ person }) => (person === undefined ? "error" : person.tenant === "acme"),
  },
  { text: "'clerk' in principal.roles", reads: ["principal"], means: ({ roles }) => roles.has("clerk") },
  { text: "principal.authenticated", reads: ["principal"], means: ({ person }) => person !== undefined },
  {
    text: "principal.tenant == 'acme' || request.method == 'POST'",
    reads: ["principal"],
    means: ({ person, method }) => {
      if (person?.tenant === "acme" || method === "POST") return true;
      return person === undefined ? "error" : false;
    },
  },
  { text: "params.x == 'b'", reads: ["param"], means: ({ params }) => params["x"] === "b" },
  {
    text: "principal.id == params.x && principal.tenant == 'acme'",
    reads: ["principal", "param"],
    means: ({ person, params }) =>
      person === undefined ? "error" : person.id === params["x"] && person.tenant === "acme",
  },
  {
    text: "body.amount < 10",
    reads: ["body"],
    means: ({ body }) => (typeof body?.["amount"] === "number" ? body["amount"] < 10 : "error"),
  },
  {
    text: "body.amount < 10 || 'admin' in principal.roles",
    reads: ["body", "principal"],
    means: ({ body, roles }) => {
      if (roles.has("admin")) return true;
      return typeof body?.["amount"] === "number" ? body["amount"] < 10 : "error";
    },
  },
];

export const BODY_SCHEMA = {
  type: "object",
  properties: {
    amount: { type: "integer", minimum: 0, maximum: 100 },
    name: { type: "string", maxLength: 5 },
  },
} as const;

/** Bodies and what is wrong with them; `value` where they parse. */
export const BODIES: readonly {
  readonly text: string;
  readonly fits: boolean;
  readonly syntax: boolean;
  readonly value?: Readonly<Record<string, unknown>>;
}[] = [
  { text: '{"amount":5}', fits: true, syntax: true, value: { amount: 5 } },
  { text: '{"amount":50,"name":"x"}', fits: true, syntax: true, value: { amount: 50, name: "x" } },
  { text: "{}", fits: true, syntax: true, value: {} },
  { text: '{"amount":500}', fits: false, syntax: true },
  { text: '{"amount":5,"more":1}', fits: false, syntax: true },
  { text: '{"amount":"5"}', fits: false, syntax: true },
  { text: '{"amount":5,"amount":6}', fits: false, syntax: false },
  { text: '{"__proto__":{}}', fits: false, syntax: false },
  { text: '{"amount":', fits: false, syntax: false },
];
