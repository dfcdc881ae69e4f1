/** What the stage `transport` does with a request. */
import type { Stage } from "../../model/compiled.js";
import type { Refusal } from "../../model/outcome.js";
import type { NormalizedRequest } from "../../model/request.js";
import type { HostList } from "./hosts.js";

const RULE = "/transport";

const MISDIRECTED: Refusal = {
  kind: "refusal",
  code: "misdirected-host",
  reason: "the host is none of `transport.hosts`",
  rule: `${RULE}/hosts`,
};

const PLAIN: Refusal = {
  kind: "refusal",
  code: "https-required",
  reason: "the request came over plain HTTP",
  rule: `${RULE}/https`,
};

/** RFC 9110 section 15.5.20. */
export function hostStage(listed: HostList): Stage {
  return {
    at: "transport",
    rule: `${RULE}/hosts`,
    run: ({ request }) => (listed(request.scheme, request.host) ? undefined : MISDIRECTED),
  };
}

/** An API's client that sent its token over plain HTTP must notice, so it gets no redirect (OWASP ASVS 4.1.2). */
export const httpsStage: Stage = {
  at: "transport",
  rule: `${RULE}/https`,
  run: ({ request }) => (request.scheme === "https" ? undefined : PLAIN),
};

/** Pages are sent on to the same place over HTTPS; what carries content is not repeated by a browser's own choice. */
export const redirectStage: Stage = {
  at: "transport",
  rule: `${RULE}/https`,
  run: ({ request }) => {
    if (request.scheme === "https") return undefined;
    if (request.method !== "GET" && request.method !== "HEAD") return PLAIN;
    return { kind: "answer", status: 308, headers: [["Location", secureLocation(request)]] };
  },
};

/** The host was found in `transport.hosts` before. Its port belongs to plain HTTP, so it is left out. */
function secureLocation({ host, path, queryText }: NormalizedRequest): string {
  const name = host.startsWith("[") ? host.slice(0, host.indexOf("]") + 1) : (host.split(":", 1)[0] ?? host);
  return `https://${name}${path}${queryText === "" ? "" : `?${queryText}`}`;
}

/** Says whether a request that asks for another protocol may have it. */
export type UpgradeRule = (request: NormalizedRequest) => boolean;

export const NO_UPGRADE: UpgradeRule = () => false;

/** One GET for websocket and nothing beside it: `h2c` would tunnel requests past every rule (RFC 6455 section 4.2.1). */
export const WEBSOCKET: UpgradeRule = ({ method, headers }) =>
  method === "GET" && headers.get("upgrade")?.toLowerCase() === "websocket";

/**
 * An upgraded connection is out of every later rule's sight, so only what a route asked for gets one.
 * @param pointer of the route
 */
export function upgradeStage(allows: UpgradeRule, pointer: string): Stage {
  const refused: Refusal = {
    kind: "refusal",
    code: "upgrade-refused",
    reason: "the request asks for another protocol than the route allows",
    rule: pointer,
    close: true,
  };
  const withContent: Refusal = {
    kind: "refusal",
    code: "unexpected-body",
    reason: "a request to upgrade has content, and servers take its bytes for the other protocol's",
    rule: pointer,
    close: true,
  };
  return {
    at: "transport",
    rule: pointer,
    run: ({ request }) => {
      if (!request.upgrade) return undefined;
      if (!allows(request)) return refused;
      return request.hasContent ? withContent : undefined;
    },
  };
}
