/** Who may call, as a description has it: authenticators and `authorize`. What it leaves open is closed here, and listed. */
import { pointerTo } from "../lib/pointer.js";
import type { Item } from "./list.js";
import type { ApiModel, Need, Operation, Scheme } from "./model.js";

type Settings = Readonly<Record<string, unknown>>;
type Tell = (item: Item) => void;

/** Nobody. */
const CLOSED = { when: "false" };
const PLACEHOLDER = "user";

export class Access {
  readonly authenticators: Readonly<Record<string, Settings>>;
  /** Name of the scheme to that of the authenticator; a scheme of no kind that the language has is not there. */
  private readonly names: ReadonlyMap<string, string>;

  constructor(
    model: ApiModel,
    audience: string,
    private readonly tell: Tell,
  ) {
    const asked = new Set(
      model.operations.flatMap(({ security }) => (security ?? []).flat().map(({ scheme }) => scheme)),
    );
    const names = new Map<string, string>();
    const authenticators: Record<string, Settings> = {};
    for (const [scheme, settings] of Object.entries(model.schemes)) {
      if (!asked.has(scheme)) {
        tell({
          kind: "note",
          code: "unused-scheme",
          source: pointerTo("#/components/securitySchemes", scheme),
          message: `no operation asks for the security scheme \`${scheme}\`; it is left out`,
        });
        continue;
      }
      const name = freeName(scheme, authenticators);
      const source = pointerTo("#/components/securitySchemes", scheme);
      const made = authenticatorOf(name, settings, audience, (item) => {
        tell({ ...item, source });
      });
      if (made === undefined) continue;
      authenticators[name] = made;
      names.set(scheme, name);
    }
    if (Object.keys(authenticators).length === 0 && model.operations.some((one) => !isOpen(one))) {
      authenticators[PLACEHOLDER] = jwt(PLACEHOLDER, undefined, audience, tell);
      tell({
        kind: "decide",
        code: "no-scheme",
        source: "#/components/securitySchemes",
        at: pointerTo("/authenticators", PLACEHOLDER),
        message:
          "the description has no security scheme that can be used; tokens are assumed, and nobody has one yet",
      });
    }
    this.authenticators = authenticators;
    this.names = names;
  }

  /** Keys of the route. */
  of(operation: Operation, at: string): Settings {
    const { security, source } = operation;
    if (security === undefined) {
      this.tell({
        kind: "decide",
        code: "no-security",
        source,
        at: pointerTo(at, "authorize"),
        message:
          'the description does not say who may call, so nobody may: name roles, write `"authenticated"`, or open it with `"authenticate": "none"`',
      });
      return { authorize: CLOSED };
    }
    if (isOpen(operation)) return { authenticate: "none" };
    const usable = security.filter((needs) => needs.every(({ scheme }) => this.names.has(scheme)));
    for (const needs of security.filter((one) => !usable.includes(one)))
      this.tell({
        kind: "lost",
        code: "scheme-not-carried",
        source,
        at,
        message: `what \`${needs.map(({ scheme }) => scheme).join(" and ")}\` asks for is not in the language, or is no scheme of the description: callers who have only that are refused`,
      });
    const named = usable.filter((needs) => needs.length > 0);
    const optional = usable.length > named.length;
    if (named.length === 0) {
      if (!optional) {
        this.tell({
          kind: "decide",
          code: "closed",
          source,
          at: pointerTo(at, "authorize"),
          message: "no way to authenticate is left, so nobody may call",
        });
        return { authorize: CLOSED };
      }
      this.tell({
        kind: "decide",
        code: "closed",
        source,
        at: pointerTo(at, "authorize"),
        message:
          "anonymous callers are let in by the description, beside callers who cannot be known here; nobody may call until somebody decides",
      });
      return { authorize: CLOSED };
    }
    const authenticate = [
      ...(optional ? ["optional"] : []),
      ...unique(named.map((needs) => this.entryOf(needs))),
    ];
    if (optional) {
      this.tell({
        kind: "decide",
        code: "optional",
        source,
        at: pointerTo(at, "authorize"),
        message: "anonymous callers are let in, because the description says so",
      });
      return { authenticate, authorize: "anyone" };
    }
    return { authenticate, authorize: this.authorizeOf(named) };
  }

  private entryOf(needs: readonly Need[]): unknown {
    const names = needs.map(({ scheme }) => this.names.get(scheme) ?? "");
    return names.length === 1 ? names[0] : names;
  }

  private authorizeOf(alternatives: readonly (readonly Need[])[]): unknown {
    const entries = alternatives.map((needs) => this.scopesOf(needs));
    const [first] = entries;
    if (entries.every((one) => JSON.stringify(one) === JSON.stringify(first)))
      return first === undefined || Object.keys(first).length === 0 ? "authenticated" : first;
    return alternatives.map((needs, index) => {
      const { when, ...rest } = entries[index] ?? {};
      const own = `principal.authenticator == ${JSON.stringify(this.names.get(needs.at(-1)?.scheme ?? ""))}`;
      return { ...rest, when: when === undefined ? own : `${own} && ${when}` };
    });
  }

  /** The last of several is the principal; the others stand beside it. */
  private scopesOf(needs: readonly Need[]): { readonly scopes?: readonly string[]; readonly when?: string } {
    const scopes = unique(needs.at(-1)?.scopes ?? []);
    const beside = needs
      .slice(0, -1)
      .flatMap(({ scheme, scopes: wanted }) =>
        wanted.map(
          (scope) => `${JSON.stringify(scope)} in principal.with.${this.names.get(scheme) ?? ""}.scopes`,
        ),
      );
    return {
      ...(scopes.length > 0 ? { scopes } : {}),
      ...(beside.length > 0 ? { when: beside.join(" && ") } : {}),
    };
  }
}

/** Says in so many words that everybody may call. */
export function isOpen({ security }: Operation): boolean {
  return security !== undefined && security.every((needs) => needs.length === 0);
}

function unique<T>(values: readonly T[]): readonly T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}

/** One that a condition can name as well: `principal.with.<name>`. */
function freeName(scheme: string, taken: Readonly<Record<string, unknown>>): string {
  const plain = scheme.replaceAll(/[^A-Za-z0-9_]/gu, "_").slice(0, 50);
  const fine =
    /^[A-Za-z_]/u.test(plain) && !["none", "optional", "__proto__"].includes(plain)
      ? plain
      : `scheme_${plain}`;
  for (let number = 1; ; number++) {
    const name = number === 1 ? fine : `${fine}_${number}`;
    if (!Object.hasOwn(taken, name)) return name;
  }
}

function authenticatorOf(name: string, scheme: Scheme, audience: string, tell: Tell): Settings | undefined {
  const at = pointerTo("/authenticators", name);
  const source = `#/components/securitySchemes/${name}`;
  switch (scheme.kind) {
    case "jwt":
      return jwt(name, scheme.issuer, audience, tell);
    case "api-key":
      tell({
        kind: "decide",
        code: "api-keys",
        source,
        at: `${at}/keys`,
        message: "where the records of API keys come from: `gatehouse key api-key` makes them",
      });
      return {
        type: "api-key",
        in: scheme.in,
        name: scheme.name,
        keys: { secret: `env:${variable(name)}_RECORDS` },
      };
    case "http":
      if (scheme.scheme.toLowerCase() === "basic") {
        tell({
          kind: "decide",
          code: "users",
          source,
          at: `${at}/users`,
          message:
            "where the users and the hashes of their passwords come from: `gatehouse key basic` makes them",
        });
        return { type: "basic", users: { secret: `env:${variable(name)}_USERS` } };
      }
      tell({
        kind: "decide",
        code: "custom-scheme",
        source,
        at,
        message: `credentials of the scheme \`${scheme.scheme}\` are judged by your own code: hand it to createEngine under this name`,
      });
      return { type: "custom", use: name, in: "header", name: "Authorization", scheme: scheme.scheme };
    case "mutual-tls":
      tell({
        kind: "decide",
        code: "certificates",
        source,
        at: `${at}/match`,
        message: "whose client certificates are accepted, and who they are: this one nobody has",
      });
      return { type: "mtls", match: [{ fingerprint: "0".repeat(64), id: "nobody" }] };
    case "unknown":
      return undefined;
  }
}

/** A key that nobody has yet: until the real one is there, no token passes. */
function jwt(name: string, issuer: string | undefined, audience: string, tell: Tell): Settings {
  const at = pointerTo("/authenticators", name);
  const source = `#/components/securitySchemes/${name}`;
  if (issuer === undefined)
    tell({
      kind: "decide",
      code: "token-issuer",
      source,
      at: `${at}/issuer`,
      message: "who issues the tokens: the value of `iss`",
    });
  tell({
    kind: "decide",
    code: "token-audience",
    source,
    at: `${at}/audience`,
    message: "for whom they are issued: the value of `aud`",
  });
  tell({
    kind: "decide",
    code: "token-keys",
    source,
    at: `${at}/keys`,
    message:
      'the issuer\'s public keys, here or by `{ "discovery": "openid" }` from the issuer itself, and in `algorithms` how it signs',
  });
  tell({
    kind: "decide",
    code: "roles",
    source,
    at,
    message: "which claim names the caller's roles (`principal`), and which `roles` there are",
  });
  return {
    type: "jwt",
    issuer: issuer ?? `https://${name.toLowerCase().replaceAll("_", "-")}.issuer.example/`,
    audience,
    algorithms: ["ES256"],
    keys: { pem: { secret: `env:${variable(name)}_PUBLIC_KEY` } },
    maxAge: "1h",
  };
}

function variable(name: string): string {
  return name.replaceAll(/([a-z0-9])([A-Z])/gu, "$1_$2").toUpperCase();
}
