/** What the names of a condition stand for, for one kind of caller on one side. */
import { addressesAround, type ResolvedAuthenticator, type ResolvedPolicy } from "@gatehouse/core/analysis";
import { segmentsOf } from "../lib/pointer.js";
import { or, FALSE, TRUE, type Formula } from "./condition.js";
import type { Side } from "./model.js";
import { ABSENT, type Origin, type Value, type Variables } from "./variables.js";

export type Fact =
  /** `mapped`: a field of the principal, of which null is nothing. */
  | { readonly kind: "variable"; readonly id: string; readonly origin: Origin; readonly mapped?: true }
  | { readonly kind: "constant"; readonly value: Value };

/** Somebody anonymous, or known by one authenticator. `tag` is the same on both sides where the same credential speaks. */
export interface Who {
  readonly authenticator: ResolvedAuthenticator | undefined;
  readonly tag: string;
}

/** Facts of a request that mean another thing on each side. */
export interface Apart {
  /** `client`, `query x`, …: their names carry the side. */
  readonly has: (fact: string) => boolean;
}

const ROOTS: ReadonlySet<string> = new Set([
  "request",
  "client",
  "principal",
  "params",
  "query",
  "headers",
  "cookies",
  "body",
]);

type Source = { readonly path: readonly string[] } | { readonly constant: unknown } | undefined;

export class Facts {
  constructor(
    private readonly side: Side,
    private readonly who: Who,
    private readonly apart: Apart,
    private readonly variables: Variables,
    private readonly sameRoles: boolean,
    /** Roles that matter, closed on both sides: by what they come to. */
    private readonly roleClasses: RoleClasses,
  ) {}

  get anonymous(): boolean {
    return this.who.authenticator === undefined;
  }

  /** Undefined: nothing that a single value stands for. */
  fact(names: readonly string[]): Fact | undefined {
    const [root = "", name = "", ...rest] = names;
    switch (root) {
      case "principal":
        return this.#principal(name, rest);
      case "params":
        return rest.length === 0 ? this.#parameter("params", name, true) : undefined;
      case "query":
      case "headers":
      case "cookies":
        return rest.length === 0 && name !== "" ? this.#parameter(root, name, false) : undefined;
      case "body": {
        const path = names.slice(1);
        if (path.length === 0) return undefined;
        return this.#variable(`${this.#side("body")}body/${written(path)}`, { kind: "body", path }, false);
      }
      case "client":
        return name === "ip" && rest.length === 0
          ? this.#variable(`${this.#side("client")}client.ip`, { kind: "ip" }, true)
          : undefined;
      case "request":
        return this.#request(name, rest);
      default:
        return undefined;
    }
  }

  /** Whether `has` asks for a field of a root: what lies deeper may be absent for another reason. */
  isTopField(names: readonly string[]): boolean {
    const [root, name] = names;
    if (root === "principal") return names.length === 2 || (name === "claims" && names.length === 3);
    return names.length === 2 && root !== "request" && root !== "client";
  }

  /** `'x' in principal.roles`, or in scopes. */
  holds(names: readonly string[], text: string): Formula | undefined {
    if (names.length !== 2 || names[0] !== "principal") return undefined;
    if (names[1] === "roles") return this.role(text);
    return names[1] === "scopes" ? this.scope(text) : undefined;
  }

  /** Addresses that tell ranges apart. */
  ranges(id: string, ranges: readonly string[]): void {
    this.variables.compared(id, addressesAround(ranges));
  }

  /** The role, or one that includes it. */
  role(wanted: string): Formula {
    const { authenticator, tag } = this.who;
    if (authenticator === undefined) return FALSE;
    const { policy } = this.side.analysed;
    const source = sourceOf(authenticator, "roles");
    if (source === undefined) return FALSE;
    if ("constant" in source)
      return bringsRole(textsOf(source.constant), wanted, authenticator, policy) ? TRUE : FALSE;
    const flags = this.roleClasses
      .filter(({ sample }) => bringsRole([sample], wanted, authenticator, policy))
      .map(({ key, roles }) =>
        this.#flag(`${tag} role ${written(source.path)} ${key}`, { kind: "role", roles }),
      );
    return or(flags);
  }

  scope(wanted: string): Formula {
    const { authenticator, tag } = this.who;
    const source = authenticator === undefined ? undefined : sourceOf(authenticator, "scopes");
    if (source === undefined) return FALSE;
    if ("constant" in source) return textsOf(source.constant).includes(wanted) ? TRUE : FALSE;
    return this.#flag(`${tag} scope ${written(source.path)} ${wanted}`, { kind: "scope", scope: wanted });
  }

  claim(path: string): Fact {
    const { authenticator, tag } = this.who;
    if (authenticator === undefined) return { kind: "constant", value: ABSENT };
    return this.#claim(tag, stepsOf(path));
  }

  /** For how many seconds the caller has been known to who gave the credential. */
  authenticatedFor(): Fact {
    const { authenticator, tag } = this.who;
    if (authenticator === undefined) return { kind: "constant", value: ABSENT };
    return this.#variable(`${tag} since auth_time`, { kind: "since", claim: "auth_time" }, false);
  }

  check(name: string): Formula {
    // The application's code sees what the engine hands it: the same for the same name.
    return this.#flag(`check ${name}`, { kind: "check", name });
  }

  /** Names in conditions that are not looked into. */
  nameOf(names: readonly string[]): string {
    const [root = ""] = names;
    if (!ROOTS.has(root)) return written(names);
    const fact = this.fact(names);
    if (fact?.kind === "variable") return fact.mapped === true ? `${fact.id}?` : fact.id;
    if (fact !== undefined)
      return `constant ${String(typeof fact.value === "symbol" ? fact.value.description : JSON.stringify(fact.value))}`;
    if (root === "principal") return `${this.#whole(names[1] ?? "")}${written(names.slice(1))}`;
    if (root === "request")
      return names[1] === "time" || names[1] === "tls"
        ? written(names)
        : `${this.#side("client")}${written(names)}`;
    return `${this.#side(root === "body" ? "body" : names[1] === undefined ? `all ${root}` : `${root} ${names[1]}`)}${written(names)}`;
  }

  #whole(field: string): string {
    const { authenticator, tag } = this.who;
    const own = `${this.side.name} ${authenticator?.name ?? "anonymous"} `;
    if (authenticator === undefined) return "anonymous ";
    if (field === "roles") return this.sameRoles && tag !== own ? `${tag} ${authenticator.name} ` : own;
    return field === "claims" ? `${tag} ` : own;
  }

  #principal(name: string, rest: readonly string[]): Fact | undefined {
    const { authenticator, tag } = this.who;
    if (name === "authenticated" && rest.length === 0)
      return { kind: "constant", value: authenticator !== undefined };
    if (name === "roles" || name === "scopes" || name === "with" || name === "") return undefined;
    if (authenticator === undefined) return { kind: "constant", value: ABSENT };
    if (name === "authenticator") return { kind: "constant", value: authenticator.name };
    if (name === "claims") return rest.length === 0 ? undefined : this.#claim(tag, rest);
    const source = sourceOf(authenticator, name);
    if (source === undefined) return { kind: "constant", value: ABSENT };
    if ("constant" in source) {
      const { constant } = source;
      if (rest.length > 0 || (typeof constant === "object" && constant !== null)) return undefined;
      return { kind: "constant", value: constant as Value };
    }
    if (name === "id" && rest.length === 0)
      return this.#variable(`${tag} claim /${written(source.path)}`, { kind: "id" }, true);
    const fact = this.#claim(tag, [...source.path, ...rest]);
    return fact.kind === "variable" && rest.length === 0 ? { ...fact, mapped: true } : fact;
  }

  #claim(tag: string, path: readonly string[]): Fact {
    const key = this.who.authenticator?.settings.type === "jwt";
    const origin: Origin = key ? { kind: "claim", path } : { kind: "attribute", name: path[0] ?? "" };
    const fact = this.#variable(`${tag} claim /${written(path)}`, origin, false);
    if (fact.kind === "variable") this.variables.compared(fact.id, [null]);
    return fact;
  }

  #parameter(root: "params" | "query" | "headers" | "cookies", written: string, always: boolean): Fact {
    const name = root === "headers" ? written.toLowerCase() : written;
    const at = root === "params" ? this.#position(written) : name;
    return this.#variable(`${this.#side(`${root} ${at}`)}${root} ${at}`, { kind: root, name }, always);
  }

  /** Parameters are known by their place: what they are called makes no difference. */
  #position(name: string): string {
    const at = this.side.route.pattern.findIndex((part) => part.kind === "param" && part.name === name);
    return `${at}`;
  }

  #request(name: string, rest: readonly string[]): Fact | undefined {
    if (rest.length > 0) return undefined;
    if (name === "route") return { kind: "constant", value: this.side.route.key };
    if (name === "method") return this.#variable("request.method", { kind: "method" }, true);
    return undefined;
  }

  #side(fact: string): string {
    return this.apart.has(fact) ? `${this.side.name} ` : "";
  }

  #variable(id: string, origin: Origin, always: boolean): Fact {
    return { kind: "variable", id: this.variables.value(id, origin, always), origin };
  }

  #flag(id: string, origin: Origin): Formula {
    const known = this.variables.flag(id, origin);
    return { key: known, of: (given) => given.get(known) === true };
  }
}

/** Roles that come to the same on both sides, as far as anybody asks. */
export interface RoleClass {
  readonly key: string;
  readonly sample: string;
  readonly roles: readonly string[];
}
export type RoleClasses = readonly RoleClass[];

export function roleClasses(
  wanted: ReadonlySet<string>,
  sides: readonly (readonly [ResolvedPolicy, readonly ResolvedAuthenticator[]])[],
): RoleClasses {
  const declared = new Set(sides.flatMap(([policy]) => [...policy.roles.keys()]));
  const classes = new Map<string, string[]>();
  for (const role of declared) {
    const profile = sides.map(([policy, authenticators]) =>
      [...wanted].map((one) => authenticators.map((each) => bringsRole([role], one, each, policy))),
    );
    const key = JSON.stringify(profile);
    if (!key.includes("true")) continue;
    classes.set(key, [...(classes.get(key) ?? []), role]);
  }
  return [...classes.values()].map((roles) => ({ key: roles.join(","), sample: roles[0] ?? "", roles }));
}

function bringsRole(
  brought: readonly string[],
  wanted: string,
  { settings: { confers } }: ResolvedAuthenticator,
  policy: ResolvedPolicy,
): boolean {
  return brought.some(
    (role) =>
      (confers === undefined || confers.includes(role)) && policy.roles.get(role)?.has(wanted) === true,
  );
}

/** Their settings, or a secret, say of each caller who it is and what it may. */
export const LISTING: ReadonlySet<string> = new Set(["basic", "mtls", "http-signature"]);

/** Where a field of the principal comes from. */
export function sourceOf({ settings }: ResolvedAuthenticator, field: string): Source {
  if (LISTING.has(settings.type) || settings.type === "api-key") return { path: [field] };
  const map = "principal" in settings ? settings.principal : undefined;
  // What a map does not name is as the code gave it.
  if (settings.type === "custom" && (map === undefined || !Object.hasOwn(map, field)))
    return ["id", "roles", "scopes"].includes(field) ? { path: [field] } : undefined;
  if (map === undefined) {
    return field === "id" ? { path: ["sub"] } : field === "scopes" ? { path: ["scope"] } : undefined;
  }
  const source = Object.hasOwn(map, field) ? map[field] : undefined;
  if (source === undefined) return field === "id" ? { path: ["sub"] } : undefined;
  return typeof source === "string" ? { path: stepsOf(source) } : { constant: source.value };
}

/** `a.b` is what `b` of `a` is called, and no name that has a dot. */
function written(names: readonly string[]): string {
  return names.map((name) => (/^\w+$/u.test(name) ? name : JSON.stringify(name))).join(".");
}

function stepsOf(path: string): readonly string[] {
  return path.startsWith("/") ? segmentsOf(path) : path.split(".");
}

function textsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return value.split(" ");
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}
