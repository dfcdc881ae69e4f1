/**
 * What applies to a route, read off the document: its own key, else the longest group's that has it, else a shorter one's, else the
 * defaults' (docs/policy.md, "Which setting holds"). For words and hints alone: what is decided is asked of the engine.
 */
import type { PolicyDocument } from "@gatehouse/core";
import { pointerTo } from "./pointer.js";

export type RouteSettings = PolicyDocument["routes"][string];
type Shared = NonNullable<PolicyDocument["defaults"]>;
type Request = Exclude<RouteSettings["request"], undefined>;
type Authorize = NonNullable<RouteSettings["authorize"]>;
export type AuthorizeEntry = Extract<Exclude<Authorize, string>, { readonly roles?: unknown }>;

/** One place that says what callers must have. All of a route's must be met, each by one of its entries. */
export interface Demand {
  readonly pointer: string;
  /** `authenticated`: any principal. */
  readonly entries: "authenticated" | readonly { readonly pointer: string; readonly entry: AuthorizeEntry }[];
}

interface Level {
  readonly pointer: string;
  readonly settings: Shared & Pick<NonNullable<PolicyDocument["groups"]>[string], "require">;
}

export class RouteView {
  readonly methods: readonly string[];
  readonly path: string;
  /** Groups in which the route stands, longest first. */
  private readonly groups: readonly Level[];
  private readonly levels: readonly Level[];

  constructor(
    readonly document: PolicyDocument,
    readonly key: string,
    readonly settings: RouteSettings,
  ) {
    // The first blank: others are part of the path.
    const [, methods = "", path = ""] = /^(\S*) (.*)$/su.exec(key) ?? [];
    this.methods = methods === "*" ? ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] : methods.split("|");
    this.path = path;
    this.groups = Object.entries(document.groups ?? {})
      .filter(([prefix]) => covers(prefix, path))
      .sort(([a], [b]) => segmentsOf(b).length - segmentsOf(a).length)
      .map(([prefix, settings]) => ({ pointer: pointerTo("/groups", prefix), settings }));
    this.levels = [
      { pointer: this.pointer, settings },
      ...this.groups,
      ...(document.defaults === undefined ? [] : [{ pointer: "/defaults", settings: document.defaults }]),
    ];
  }

  get pointer(): string {
    return pointerTo("/routes", this.key);
  }

  /** The nearest that is written, and where. */
  setting<K extends keyof Shared>(
    key: K,
  ): { readonly value: NonNullable<Shared[K]>; readonly pointer: string } | undefined {
    for (const { settings, pointer } of this.levels) {
      const value = settings[key];
      if (value !== undefined && value !== null) return { value, pointer: pointerTo(pointer, key) };
    }
    return undefined;
  }

  /** All that is written, the nearest first. */
  written<K extends keyof Shared>(key: K): readonly NonNullable<Shared[K]>[] {
    return this.levels.flatMap(({ settings }) => {
      const value = settings[key];
      return value === undefined || value === null ? [] : [value];
    });
  }

  /** Each member of `request` is a key of its own. */
  request<K extends keyof Request>(member: K): Request[K] | undefined {
    for (const { settings } of this.levels) {
      const value = settings.request?.[member];
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /** The nearest that is written of a member of `request` or `response`, and where. */
  inner<K extends "request" | "response">(
    key: K,
    member: string,
  ): { readonly value: unknown; readonly pointer: string } | undefined {
    for (const { settings, pointer } of this.levels) {
      const outer: unknown = settings[key];
      if (typeof outer !== "object" || outer === null || !Object.hasOwn(outer, member)) continue;
      const value = (outer as Readonly<Record<string, unknown>>)[member];
      if (value !== undefined) return { value, pointer: pointerTo(pointer, key, member) };
    }
    return undefined;
  }

  /** Alternatives, each of which asks for all its authenticators. */
  get authenticators(): readonly (readonly string[])[] {
    const written = this.setting("authenticate")?.value;
    if (written === undefined) return Object.keys(this.document.authenticators ?? {}).map((name) => [name]);
    if (written === "none") return [];
    return written.filter((one) => one !== "optional").map((one) => (typeof one === "string" ? [one] : one));
  }

  get open(): boolean {
    return this.setting("authenticate")?.value === "none";
  }

  get optional(): boolean {
    const written = this.setting("authenticate")?.value;
    return Array.isArray(written) && written[0] === "optional";
  }

  /** Groups first, outermost first. Nothing is demanded on an open route but what it writes itself. */
  get demands(): readonly Demand[] {
    const required = this.open
      ? []
      : this.groups
          .toReversed()
          .flatMap(({ settings: { require }, pointer }) =>
            require === undefined ? [] : [demandOf(require, pointerTo(pointer, "require"))],
          );
    const own = this.settings.authorize;
    if (own !== undefined) {
      return own === "anyone" ? required : [...required, demandOf(own, pointerTo(this.pointer, "authorize"))];
    }
    const inherited = this.document.defaults?.authorize;
    if (this.open || required.length > 0 || inherited === undefined || inherited === "anyone")
      return required;
    return [demandOf(inherited, "/defaults/authorize")];
  }

  /** Names, with `inherited` spelled out. */
  get limits(): readonly string[] {
    const written = this.levels.map(({ settings }) => settings.limits);
    const spell = (from: number): string[] => {
      const at = written.findIndex((names, index) => index >= from && names !== undefined);
      return (written[at] ?? []).flatMap((name) => (name === "inherited" ? spell(at + 1) : [name]));
    };
    return [...new Set(spell(0))];
  }
}

export function routesOf(document: PolicyDocument): readonly RouteView[] {
  return Object.entries(document.routes).map(([key, settings]) => new RouteView(document, key, settings));
}

export function routeOf(document: PolicyDocument, key: string): RouteView | undefined {
  const settings = Object.hasOwn(document.routes, key) ? document.routes[key] : undefined;
  return settings === undefined ? undefined : new RouteView(document, key, settings);
}

function demandOf(value: Exclude<Authorize, "anyone">, pointer: string): Demand {
  if (value === "authenticated") return { pointer, entries: value };
  if (isList(value))
    return { pointer, entries: value.map((entry, index) => ({ pointer: pointerTo(pointer, index), entry })) };
  return { pointer, entries: [{ pointer, entry: value }] };
}

/** `Array.isArray` knows no readonly arrays. */
function isList<T extends object>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

function covers(prefix: string, path: string): boolean {
  const wanted = segmentsOf(prefix);
  const found = segmentsOf(path);
  return wanted.every((segment, index) => found[index] === segment) && wanted.length <= found.length;
}

/** Names of parameters tell no prefixes apart. */
function segmentsOf(path: string): readonly string[] {
  return path === "/"
    ? []
    : path
        .split("/")
        .slice(1)
        .map((segment) => (segment.startsWith(":") ? ":" : segment));
}
