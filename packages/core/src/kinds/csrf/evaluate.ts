/** The algorithm of Go 1.25's CrossOriginProtection, but closed where a cookie comes without any word about its origin. */
import type { Stage } from "../../model/compiled.js";
import type { Refusal } from "../../model/outcome.js";
import { ownOrigin, parseOrigin } from "../../normalize/origin.js";
import { acceptsToken, type TokenRule } from "./token.js";

export const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

export interface CsrfRule {
  readonly rule: string;
  /** Canonical texts. */
  readonly trusted: ReadonlySet<string>;
  /** Names of authenticators. */
  readonly allowsUnknown: ReadonlySet<string>;
  readonly tokens: TokenRule | undefined;
  /** Asked of whoever brings no credential that travels by itself. */
  readonly always: "no" | "allow-unknown" | "refuse-unknown";
}

export function csrfStage({ rule, trusted, allowsUnknown, tokens, always }: CsrfRule): Stage {
  const crossSite = refusal(rule, "`Sec-Fetch-Site` names another site");
  const otherOrigin = refusal(rule, "`Origin` is not the API's own and not listed");
  const unknown = refusal(
    rule,
    "a request that is asked for its origin came without `Sec-Fetch-Site`, `Origin` and a good token",
  );
  return {
    at: "csrf",
    rule,
    run: (state) => {
      const { identity, request } = state;
      const ambient = identity?.ambient === true ? identity : undefined;
      if (ambient === undefined && always === "no") return undefined;
      if (SAFE_METHODS.has(request.method) && !request.upgrade) return undefined;
      const origin = request.headers.get("origin");
      if (origin !== undefined && isTrusted(origin, trusted)) return undefined;
      const site = request.headers.get("sec-fetch-site");
      // `same-site` is refused: a sibling domain is another party (cookie tossing).
      if (site !== undefined) return site === "same-origin" || site === "none" ? undefined : crossSite;
      if (origin !== undefined) return origin === ownOrigin(request) ? undefined : otherOrigin;
      if (ambient === undefined) return always === "refuse-unknown" ? unknown : undefined;
      if (allowsUnknown.has(ambient.authenticator)) return undefined;
      return tokens !== undefined && acceptsToken(tokens, state, ambient) ? undefined : unknown;
    },
  };
}

function isTrusted(origin: string, trusted: ReadonlySet<string>): boolean {
  if (trusted.size === 0) return false;
  if (trusted.has(origin)) return true;
  const canonical = parseOrigin(origin);
  return canonical !== undefined && trusted.has(canonical);
}

function refusal(rule: string, reason: string): Refusal {
  return Object.freeze({ kind: "refusal", code: "cross-site-request", reason, rule });
}
