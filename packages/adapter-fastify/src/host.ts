/** The fastify that the plugin stands in: how it matches, and what it must not do. */
import type { FrameworkMatching } from "@gatehouse/core";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { internal } from "./internals.js";

export type FrameworkErrors = (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => unknown;

/** fastify's options as they are in force: the router has read the old spelling at the top as well as `routerOptions`. */
interface HostOptions {
  frameworkErrors?: FrameworkErrors | undefined;
  readonly rewriteUrl?: unknown;
  readonly trustProxy?: unknown;
  readonly routerOptions: Readonly<Record<string, unknown>>;
}

/**
 * What is known of each: two are followed by `bind`, `//` and `;` are refused before fastify looks, and where the rest leads to another
 * route than the policy's, `Agreement` sees it.
 */
const ROUTER_OPTIONS: ReadonlySet<string> = new Set([
  "allowUnsafeRegex",
  "buildPrettyMeta",
  "caseSensitive",
  "compile",
  "constraints",
  "defaultRoute",
  "ignoreDuplicateSlashes",
  "ignoreTrailingSlash",
  "maxParamLength",
  "onBadUrl",
  "onMaxParamLength",
  "querystringParser",
  "useSemicolonDelimiter",
]);

/** Called by the router itself, in place of hooks. */
const ROUTER_ANSWERS: readonly string[] = ["defaultRoute", "onBadUrl", "onMaxParamLength"];

/** @throws Error when requests could pass beside the policy, or be read in another way than it reads them */
export function hostOptionsOf(app: FastifyInstance): HostOptions {
  if (Object.getPrototypeOf(app) !== Object.prototype) {
    throw new Error(
      "Gatehouse was registered inside a plugin, and routes outside of it would not be guarded; register it on the root instance",
    );
  }
  const options = internal(app, "fastify.options") as Partial<HostOptions> | undefined;
  if (typeof options?.routerOptions !== "object") {
    throw new Error(
      "this fastify does not show its router's options, so that nobody can follow them; use fastify 5.9 or later",
    );
  }
  const { rewriteUrl, trustProxy, routerOptions } = options;
  if (typeof rewriteUrl === "function") {
    throw new Error("`rewriteUrl` would route another target than the policy judges; leave it out");
  }
  if (trustProxy !== undefined && trustProxy !== false) {
    throw new Error(
      "`trustProxy` makes fastify read forwarded fields by another trust than the policy's; leave it out, and name the proxies in `transport.trust`",
    );
  }
  const own = ownAnswerOf(app, options);
  if (own !== undefined) {
    throw new Error(
      `\`${own}\` would answer requests that no policy has decided; leave it out, and use \`setNotFoundHandler\` or \`frameworkErrors\``,
    );
  }
  const stranger = Object.keys(routerOptions).find((name) => !ROUTER_OPTIONS.has(name));
  if (stranger !== undefined) {
    throw new Error(`nobody knows what the router option \`${stranger}\` does to matching; leave it out`);
  }
  return options as HostOptions;
}

/** fastify's own stand in `routerOptions` under the same names, and come to hooks; what the application gave stands where it gave it. */
function ownAnswerOf(app: FastifyInstance, options: object): string | undefined {
  const { routerOptions = {} } = app.initialConfig as { readonly routerOptions?: object };
  const given = { ...options, ...routerOptions } as Readonly<Record<string, unknown>>;
  return ROUTER_ANSWERS.find((name) => typeof given[name] === "function");
}

export function matchingOf({ routerOptions }: HostOptions): FrameworkMatching {
  return {
    caseSensitive: routerOptions["caseSensitive"] !== false,
    trailingSlash: routerOptions["ignoreTrailingSlash"] === true ? "ignored" : "significant",
    staticText: "decoded",
  };
}
