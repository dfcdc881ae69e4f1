/** What a guard may be told. Unknown names are errors: a typo must not silently turn something off. */
import { refuseUnknownOptions, type FrameworkMatching } from "@gatehouse/core";
import type { HonoApp } from "./hono-app.js";
import type { PassageSettings, ServerFacts } from "./passage.js";

/** How the framework behind the guard matches; what is left out is as in the core. */
export type Matching = Pick<FrameworkMatching, "caseSensitive" | "trailingSlash" | "staticText" | "wildcard">;

/** @typeParam Rest what the server hands over beside the Request: Bun's server, Deno's info, a Worker's environment … */
export interface GuardOptions<Rest extends readonly unknown[] = readonly unknown[]> {
  /**
   * The address of the socket's peer, not a forwarded one. Without it a policy that reads `client.ip` or has `trust` is refused.
   * Undefined for one request: its address is not known.
   */
  readonly remoteAddress?: (request: Request, ...rest: Rest) => string | undefined;
  /**
   * True where the socket itself is TLS. Default false: the scheme of `request.url` is no witness, because a caller may write it
   * on the request line.
   */
  readonly encrypted?: boolean | ((request: Request, ...rest: Rest) => boolean);
  /**
   * The target as it stood on the request line, where the server can tell: what the URL parser would take out is then refused, as on
   * other servers. It must be the same resource as `request.url`, or the answer is 500.
   */
  readonly target?: (request: Request, ...rest: Rest) => string;
  /** What the server took off the front of `request.url`, as in `/api`: policies name full paths. */
  readonly mountPrefix?: string;
  /** How the framework behind the guard matches, as for `engine.bind`. Default: by the exact path. hono's own is known. */
  readonly matching?: Matching;
  /** A hono application: its settings are read, and its routes are compared with the policy's when the first request comes. */
  readonly app?: HonoApp;
  /**
   * What happens where the routes of `app` and the policy's differ. `warn` (default): `onError` is told once. `strict`: every request
   * is answered 500 until they agree, and `onError` is told once. `off`: nothing is compared.
   */
  readonly inventory?: "warn" | "strict" | "off";
  /**
   * Bytes of an answer that are kept in memory while a response rule needs the whole of it; one that is larger is withheld with
   * 500. Default 8 MiB. Answers that no rule reads stream through, whatever their size.
   */
  readonly responseLimit?: number;
  /**
   * What no decision event can carry: an answer that was cut off, an error after the answer's end, a fault of the engine's own.
   * Default: `console.error`.
   */
  readonly onError?: (error: unknown) => void;
}

const KNOWN = [
  "remoteAddress",
  "encrypted",
  "target",
  "mountPrefix",
  "matching",
  "app",
  "inventory",
  "responseLimit",
  "onError",
] as const satisfies readonly (keyof GuardOptions)[];
const DEFAULT_RESPONSE_LIMIT = 8 * 1024 * 1024;

export interface GuardSettings<Rest extends readonly unknown[]> extends PassageSettings {
  readonly facts: (request: Request, rest: Rest) => ServerFacts;
  readonly matching: FrameworkMatching;
  readonly app: HonoApp | undefined;
  readonly inventory: "warn" | "strict" | "off";
}

/** @throws TypeError naming the option that is wrong, and the nearest that there is */
export function settingsOf<Rest extends readonly unknown[]>(
  options: GuardOptions<Rest>,
): GuardSettings<Rest> {
  refuseUnknownOptions(options, KNOWN);
  const { responseLimit = DEFAULT_RESPONSE_LIMIT, onError = warn, app, inventory = "warn" } = options;
  const { remoteAddress, encrypted = false, target, mountPrefix = "" } = options;
  if (!Number.isSafeInteger(responseLimit) || responseLimit < 0) {
    throw new TypeError("`responseLimit` is not a whole number of bytes");
  }
  mustBeFunction("onError", onError);
  if (remoteAddress !== undefined) mustBeFunction("remoteAddress", remoteAddress);
  if (target !== undefined) mustBeFunction("target", target);
  if (typeof encrypted !== "boolean" && typeof encrypted !== "function") {
    throw new TypeError("`encrypted` is neither a boolean nor a function");
  }
  if (mountPrefix !== "" && !/^(?:\/[\w.~-]+)+$/.test(mountPrefix)) {
    throw new TypeError("`mountPrefix` is no path like `/api`, without a slash at its end");
  }
  if (!["warn", "strict", "off"].includes(inventory)) {
    throw new TypeError("`inventory` is none of `warn`, `strict`, `off`");
  }
  if (inventory === "strict" && app === undefined) {
    throw new TypeError("`inventory` needs `app`, whose routes are compared");
  }
  return {
    responseLimit,
    onError: quietly(onError),
    facts: (request, rest) => ({
      mountPrefix,
      target: target?.(request, ...rest),
      remoteAddress: remoteAddress?.(request, ...rest),
      encrypted: typeof encrypted === "function" ? encrypted(request, ...rest) : encrypted,
    }),
    matching: {
      ...options.matching,
      peerAddress: remoteAddress !== undefined,
      // Of a session that the platform has ended, a Request says nothing.
      clientCertificates: false,
      ...(mountPrefix === "" ? {} : { mountPrefix }),
    },
    app,
    inventory,
  };
}

function mustBeFunction(name: string, value: unknown): void {
  if (typeof value !== "function") throw new TypeError(`\`${name}\` is not a function`);
}

function warn(error: unknown): void {
  // oxlint-disable-next-line no-console -- the one sink that every platform has; `onError` replaces it
  console.error(error);
}

/** Who listens must not decide whether an answer leaves. */
function quietly(onError: (error: unknown) => void): (error: unknown) => void {
  return (error) => {
    try {
      onError(error);
    } catch {
      // The sink's own fault.
    }
  };
}
