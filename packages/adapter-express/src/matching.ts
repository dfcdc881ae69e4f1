/** How an application matches: read off the router that it made, since a setting changed afterwards has no effect on it. */
import type { FrameworkMatching } from "@gatehouse/core";
import type { App, Router } from "./express.js";

export interface Matching {
  readonly caseSensitive: boolean;
  readonly strict: boolean;
}

export function matchingOf({ caseSensitive, strict }: Router): Matching {
  return { caseSensitive: caseSensitive === true, strict: strict === true };
}

/** @param express4 whose `/files/*` serves `/files/` too */
export function frameworkMatching({ caseSensitive, strict }: Matching, express4: boolean): FrameworkMatching {
  return {
    caseSensitive,
    trailingSlash: strict ? "significant" : "ignored",
    staticText: "raw",
    wildcard: express4 ? "itself" : "below",
  };
}

/**
 * Two readers of `X-Forwarded-For` would see two clients. Whether they agree cannot be told (express takes functions and counts),
 * so that express is not to read it at all.
 * @throws Error saying what to take out
 */
export function refuseTrustProxy(app: App): void {
  for (let one: App | undefined = app; one !== undefined; one = one.parent) {
    if (one.get("trust proxy")) throw new Error(TRUST_PROXY);
  }
}

const TRUST_PROXY =
  "express's `trust proxy` is set, and the policy decides who the client is: take the setting out, write `transport.trust` into " +
  "the policy, and read `req.gatehouse.client` where `req.ip`, `req.protocol` and `req.hostname` were read";
