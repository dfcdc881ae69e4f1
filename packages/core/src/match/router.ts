import type { NormalizedRequest } from "../model/request.js";

/** How a framework matches; the router matches the same way. */
export interface FrameworkMatching {
  /** Default true. False folds ASCII letters only. */
  readonly caseSensitive?: boolean;
  /** `significant` (default): `/a` and `/a/` are two paths. `ignored`: one trailing slash makes no difference. */
  readonly trailingSlash?: "significant" | "ignored";
  /** Is the static text of a pattern compared before (`raw`) or after (`decoded`, default) percent-decoding? */
  readonly staticText?: "raw" | "decoded";
  /**
   * Does a handler of `/files/*` serve `/files` and `/files/` too? `below` (default): no. `itself`: it does, so a request for one that has no
   * route of its own is refused, and not left to a less specific route, as if that handler were not there.
   */
  readonly wildcard?: "below" | "itself";
  /** Prefix under which the framework mounted the guard; policies see the full target. */
  readonly mountPrefix?: string;
  /**
   * False: the platform hides the peer's address, and nobody supplies it. A policy that reads `client.ip` or has `trust` is
   * refused then. Default true.
   */
  readonly peerAddress?: boolean;
  /**
   * False: the platform hides the certificates of its callers. A policy that asks for one is refused then, unless a trusted proxy passes
   * them on. Default true.
   */
  readonly clientCertificates?: boolean;
}

export interface RouteMatch {
  /** Index into the policy's routes. */
  readonly route: number;
  /** Percent-decoded once; an object without a prototype. */
  readonly params: Record<string, string>;
}

export interface Router {
  /** Undefined: no route. `"ambiguous"`: the raw and the decoded reading lead to different routes (400 `ambiguous-path`). */
  match(method: string, request: NormalizedRequest): RouteMatch | "ambiguous" | undefined;
  /** Methods that routes know at this path, sorted, `HEAD` beside `GET`; empty when the path is unknown. */
  allowed(request: NormalizedRequest): readonly string[];
}
