/** Compiles the check into the routes that need it: those with an ambient credential and something to lose. */
import type { HeaderContribution, Stage } from "../../model/compiled.js";
import type { CompiledKind } from "../../model/kind.js";
import type { ResolvedAuthenticator, ResolvedRoute } from "../../model/resolved.js";
import type { RequestState } from "../../model/state.js";
import { parseOrigin } from "../../normalize/origin.js";
import { csrfStage, SAFE_METHODS } from "./evaluate.js";
import { freshCookie, type TokenRule } from "./token.js";

type Rules = ReadonlyMap<string, TokenRule>;

export function compileCsrf(tokens: Rules = new Map()): CompiledKind {
  return {
    stages: (route) => stagesOf(route, tokensOf(route, tokens)),
    headers: (route) => cookieOf(route, tokensOf(route, tokens)),
  };
}

function tokensOf({ csrf }: ResolvedRoute, tokens: Rules): TokenRule | undefined {
  return csrf === undefined ? undefined : tokens.get(csrf.pointer);
}

function stagesOf(route: ResolvedRoute, tokens: TokenRule | undefined): readonly Stage[] {
  const settings = route.csrf?.value ?? {};
  if (route.key === "" || settings === "off" || !canBeForged(route)) return [];
  if (ambientAuthenticators(route).length === 0 && settings.always !== true) return [];
  return [
    csrfStage({
      rule: route.csrf?.pointer ?? route.authenticate.pointer,
      trusted: trustedOrigins(route, settings.origins ?? []),
      allowsUnknown: unknownAllowed(route, settings.unknown),
      tokens,
      always:
        settings.always !== true ? "no" : settings.unknown === "refuse" ? "refuse-unknown" : "allow-unknown",
    }),
  ];
}

/** Whoever may come back with something to lose is given a token when it comes with nothing to lose. */
function cookieOf(route: ResolvedRoute, tokens: TokenRule | undefined): HeaderContribution | undefined {
  const ambient = new Set(ambientAuthenticators(route).map(({ name }) => name));
  if (tokens === undefined || ambient.size === 0) return undefined;
  const made = new WeakMap<RequestState, string>();
  return {
    dynamic(state, sink) {
      const { identity, request } = state;
      if (identity?.ambient !== true || !SAFE_METHODS.has(request.method)) return;
      // Fields may be laid over one answer twice: it is one and the same cookie.
      const cookie = made.get(state) ?? freshCookie(tokens, state, identity);
      if (cookie === undefined) return;
      made.set(state, cookie);
      sink.set("Set-Cookie", cookie);
    },
  };
}

/** Authenticators of the route whose credential is sent by the browser itself. */
export function ambientAuthenticators(route: ResolvedRoute): readonly ResolvedAuthenticator[] {
  return route.authenticate.anyOf.flat().filter(({ carrier }) => carrier.ambient);
}

/** A request that changes nothing by definition can be forged without harm; an upgrade opens a conversation. */
export function canBeForged(route: ResolvedRoute): boolean {
  return route.upgrade !== undefined || route.methods.some((method) => !SAFE_METHODS.has(method));
}

/** Those of `csrf.origins`, and those that cors already lets act with the visitor's credentials. Wildcards are not taken over. */
function trustedOrigins(route: ResolvedRoute, written: readonly string[]): ReadonlySet<string> {
  const { cors } = route;
  const shared =
    cors !== undefined && cors.value !== "none" && cors.value.credentials === true ? cors.value.origins : [];
  const origins = [...written, ...shared].map((origin) => parseOrigin(origin));
  return new Set(origins.filter((origin) => origin !== undefined));
}

/**
 * Names of the principals' authenticators whose requests pass without both `Sec-Fetch-Site` and `Origin`. Scripts use client certificates,
 * so there it is the default; a browser that sends a cookie sends one of the two. Of credentials that must stand together each one
 * that travels by itself must allow it.
 */
function unknownAllowed(route: ResolvedRoute, unknown: "refuse" | "allow" | undefined): ReadonlySet<string> {
  const allows = ({ carrier }: ResolvedAuthenticator): boolean =>
    !carrier.ambient || (unknown ?? (carrier.in === "cookie" ? "refuse" : "allow")) === "allow";
  const allowed = new Set<string>();
  const refused = new Set<string>();
  for (const together of route.authenticate.anyOf) {
    const last = together.at(-1);
    if (last !== undefined) (together.every(allows) ? allowed : refused).add(last.name);
  }
  return new Set([...allowed].filter((name) => !refused.has(name)));
}
