/**
 * Names that lead nowhere. Each is looked for where it was written, so that one typo in the defaults is one
 * diagnostic, not one a route.
 */
import type { Report } from "../errors/diagnostics.js";
import { didYouMean } from "../errors/did-you-mean.js";
import { isList } from "../lib/lists.js";
import { pointerTo } from "../lib/pointer.js";
import { sortedEntries } from "../lib/sorted.js";
import type {
  AuthenticateSettings,
  AuthenticatorSettings,
  AuthorizeSettings,
  PolicyDocument,
  ResponseSettings,
  SharedSettings,
} from "../model/policy.js";
import { OPTIONAL } from "./resolve-access.js";
import { INHERITED } from "./resolve-limits.js";
import { alternatives, quote } from "./words.js";

/** What a document declares, by the word that messages use for it. */
export interface Declared {
  readonly role: ReadonlySet<string>;
  readonly limit: ReadonlySet<string>;
  readonly authenticator: ReadonlySet<string>;
  readonly route: ReadonlySet<string>;
}

const UNKNOWN: Readonly<Record<keyof Declared, string>> = {
  role: "unknown-role",
  limit: "unknown-limit",
  authenticator: "unknown-authenticator",
  route: "unknown-route",
};

export function declaredIn(document: PolicyDocument): Declared {
  return {
    role: new Set(Object.keys(document.roles ?? {})),
    limit: new Set(Object.keys(document.limits ?? {})),
    authenticator: new Set(Object.keys(document.authenticators ?? {})),
    route: new Set(Object.keys(document.routes)),
  };
}

export function checkNames(document: PolicyDocument, declared: Declared, report: Report): void {
  new NameCheck(declared, report).run(document);
}

/** A place in the document, spelled out where something is wrong with it: a start looks at thousands, and most are fine. */
type Place = () => string;

class NameCheck {
  constructor(
    private readonly declared: Declared,
    private readonly report: Report,
  ) {}

  run(document: PolicyDocument): void {
    for (const [role, below] of sortedEntries(document.roles))
      this.roles(below, () => pointerTo("/roles", role));
    for (const [name, settings] of sortedEntries(document.authenticators)) {
      this.authenticator(settings, () => pointerTo("/authenticators", name));
    }
    this.limits(document.global?.limits, () => "/global/limits", false);
    const { defaults } = document;
    if (defaults !== undefined) {
      this.shared(defaults, () => "/defaults", false);
      this.authorize(defaults.authorize, () => "/defaults/authorize");
    }
    for (const [prefix, settings] of sortedEntries(document.groups)) {
      const place = (): string => pointerTo("/groups", prefix);
      this.shared(settings, place, true);
      this.authorize(settings.require, () => pointerTo(place(), "require"));
    }
    for (const [key, settings] of sortedEntries(document.routes)) {
      const place = (): string => pointerTo("/routes", key);
      this.shared(settings, place, true);
      if (settings.authorize !== undefined)
        this.authorize(settings.authorize, () => pointerTo(place(), "authorize"));
    }
  }

  private shared(settings: SharedSettings, within: Place, inherits: boolean): void {
    if (settings.limits !== undefined)
      this.limits(settings.limits, () => pointerTo(within(), "limits"), inherits);
    if (settings.authenticate !== undefined)
      this.authenticate(settings.authenticate, () => pointerTo(within(), "authenticate"));
    if (settings.response !== undefined && settings.response !== false) {
      this.response(settings.response, () => pointerTo(within(), "response"));
    }
  }

  private limits(names: readonly string[] | undefined, within: Place, inherits: boolean): void {
    for (const [index, name] of (names ?? []).entries()) {
      const place = (): string => pointerTo(within(), index);
      if (name !== INHERITED) this.known("limit", name, place);
      else if (!inherits) {
        this.report.error(
          "nothing-inherited",
          place(),
          '`"inherited"` stands where nothing is inherited',
          "name the limits; `inherited` belongs into groups and routes",
        );
      }
    }
  }

  private authenticate(settings: AuthenticateSettings | undefined, within: Place): void {
    if (settings === undefined || settings === "none") return;
    for (const [index, alternative] of settings.entries()) {
      const place = (): string => pointerTo(within(), index);
      if (isList(alternative)) {
        for (const [at, name] of alternative.entries())
          this.known("authenticator", name, () => pointerTo(place(), at));
      } else if (alternative !== OPTIONAL) this.known("authenticator", alternative, place);
      else if (index > 0 || settings.length === 1) this.misplacedOptional(index, place);
    }
  }

  private misplacedOptional(index: number, place: Place): void {
    this.report.error(
      "misplaced-optional",
      place(),
      index > 0 ? '`"optional"` is not the first entry' : '`"optional"` stands alone',
      index > 0
        ? "write it first: it is about the whole list"
        : 'name the authenticators after it, or write `"none"`',
    );
  }

  private authorize(settings: AuthorizeSettings | undefined, within: Place): void {
    if (settings === undefined || typeof settings === "string") return;
    if (!isList(settings)) return this.roles(settings.roles, () => pointerTo(within(), "roles"));
    for (const [index, entry] of settings.entries())
      this.roles(entry.roles, () => pointerTo(within(), index, "roles"));
  }

  private response({ redact }: ResponseSettings, within: Place): void {
    for (const [path, entry] of sortedEntries(redact)) {
      if (typeof entry === "string" || !("action" in entry) || typeof entry.unless !== "object") continue;
      this.roles(entry.unless.roles, () => pointerTo(within(), "redact", path, "unless", "roles"));
    }
  }

  private authenticator(settings: AuthenticatorSettings, within: Place): void {
    this.roles(settings.confers, () => pointerTo(within(), "confers"));
    if (settings.type !== "api-key" || !isList(settings.keys)) return;
    for (const [index, record] of settings.keys.entries()) {
      const place = (): string => pointerTo(within(), "keys", index);
      this.roles(record.roles, () => pointerTo(place(), "roles"));
      for (const [at, key] of (record.routes ?? []).entries())
        this.known("route", key, () => pointerTo(place(), "routes", at));
    }
  }

  private roles(names: readonly string[] | undefined, within: Place): void {
    for (const [index, name] of (names ?? []).entries())
      this.known("role", name, () => pointerTo(within(), index));
  }

  private known(what: keyof Declared, name: string, place: Place): void {
    const known = this.declared[what];
    if (known.has(name)) return;
    const help =
      known.size === 0
        ? `declare it: the document has no ${what}s`
        : `the document declares ${alternatives([...known].sort())}`;
    this.report.error(
      UNKNOWN[what],
      place(),
      `unknown ${what} ${quote(name)}`,
      didYouMean(name, known) ?? help,
    );
  }
}
