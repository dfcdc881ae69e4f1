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

class NameCheck {
  constructor(
    private readonly declared: Declared,
    private readonly report: Report,
  ) {}

  run(document: PolicyDocument): void {
    for (const [role, below] of sortedEntries(document.roles)) this.roles(below, pointerTo("/roles", role));
    for (const [name, settings] of sortedEntries(document.authenticators)) {
      this.authenticator(settings, pointerTo("/authenticators", name));
    }
    this.limits(document.global?.limits, "/global/limits", false);
    const { defaults } = document;
    if (defaults !== undefined) {
      this.shared(defaults, "/defaults", false);
      this.authorize(defaults.authorize, "/defaults/authorize");
    }
    for (const [prefix, settings] of sortedEntries(document.groups)) {
      const pointer = pointerTo("/groups", prefix);
      this.shared(settings, pointer, true);
      this.authorize(settings.require, pointerTo(pointer, "require"));
    }
    for (const [key, settings] of sortedEntries(document.routes)) {
      const pointer = pointerTo("/routes", key);
      this.shared(settings, pointer, true);
      if (settings.authorize !== undefined)
        this.authorize(settings.authorize, pointerTo(pointer, "authorize"));
    }
  }

  private shared(settings: SharedSettings, pointer: string, inherits: boolean): void {
    if (settings.limits !== undefined) this.limits(settings.limits, pointerTo(pointer, "limits"), inherits);
    if (settings.authenticate !== undefined)
      this.authenticate(settings.authenticate, pointerTo(pointer, "authenticate"));
    if (settings.response !== undefined && settings.response !== false) {
      this.response(settings.response, pointerTo(pointer, "response"));
    }
  }

  private limits(names: readonly string[] | undefined, pointer: string, inherits: boolean): void {
    for (const [index, name] of (names ?? []).entries()) {
      const place = pointerTo(pointer, index);
      if (name !== INHERITED) this.known("limit", name, place);
      else if (!inherits) {
        this.report.error(
          "nothing-inherited",
          place,
          '`"inherited"` stands where nothing is inherited',
          "name the limits; `inherited` belongs into groups and routes",
        );
      }
    }
  }

  private authenticate(settings: AuthenticateSettings | undefined, pointer: string): void {
    if (settings === undefined || settings === "none") return;
    for (const [index, alternative] of settings.entries()) {
      const place = pointerTo(pointer, index);
      if (isList(alternative)) {
        for (const [at, name] of alternative.entries())
          this.known("authenticator", name, pointerTo(place, at));
      } else if (alternative !== OPTIONAL) this.known("authenticator", alternative, place);
      else if (index > 0 || settings.length === 1) this.misplacedOptional(index, place);
    }
  }

  private misplacedOptional(index: number, pointer: string): void {
    this.report.error(
      "misplaced-optional",
      pointer,
      index > 0 ? '`"optional"` is not the first entry' : '`"optional"` stands alone',
      index > 0
        ? "write it first: it is about the whole list"
        : 'name the authenticators after it, or write `"none"`',
    );
  }

  private authorize(settings: AuthorizeSettings | undefined, pointer: string): void {
    if (settings === undefined || typeof settings === "string") return;
    if (!isList(settings)) return this.roles(settings.roles, pointerTo(pointer, "roles"));
    for (const [index, entry] of settings.entries())
      this.roles(entry.roles, pointerTo(pointer, index, "roles"));
  }

  private response({ redact }: ResponseSettings, pointer: string): void {
    for (const [path, entry] of sortedEntries(redact)) {
      if (typeof entry === "string" || !("action" in entry) || typeof entry.unless !== "object") continue;
      this.roles(entry.unless.roles, pointerTo(pointer, "redact", path, "unless", "roles"));
    }
  }

  private authenticator(settings: AuthenticatorSettings, pointer: string): void {
    this.roles(settings.confers, pointerTo(pointer, "confers"));
    if (settings.type !== "api-key" || !isList(settings.keys)) return;
    for (const [index, record] of settings.keys.entries()) {
      const place = pointerTo(pointer, "keys", index);
      this.roles(record.roles, pointerTo(place, "roles"));
      for (const [at, key] of (record.routes ?? []).entries())
        this.known("route", key, pointerTo(place, "routes", at));
    }
  }

  private roles(names: readonly string[] | undefined, pointer: string): void {
    for (const [index, name] of (names ?? []).entries()) this.known("role", name, pointerTo(pointer, index));
  }

  private known(what: keyof Declared, name: string, pointer: string): void {
    const known = this.declared[what];
    if (known.has(name)) return;
    const help =
      known.size === 0
        ? `declare it: the document has no ${what}s`
        : `the document declares ${alternatives([...known].sort())}`;
    this.report.error(
      UNKNOWN[what],
      pointer,
      `unknown ${what} ${quote(name)}`,
      didYouMean(name, known) ?? help,
    );
  }
}
