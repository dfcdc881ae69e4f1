/** What stands for a request whose head could not be read: just enough to head and shape its refusal. */
import { pairsOf } from "../model/header-pairs.js";
import type { NormalizedRequest, RawRequest } from "../model/request.js";

/**
 * A browser's client must be able to read the refusal, so the one Origin is kept where there is exactly one;
 * nothing else of an unreadable head is believed.
 */
export function placeholderRequest(raw: RawRequest): NormalizedRequest {
  const encrypted = raw.encrypted === true;
  const origins = pairsOf(raw.headers).filter(([name]) => name.toLowerCase() === "origin");
  const origin = origins.length === 1 ? origins[0]?.[1] : undefined;
  return {
    method: raw.method,
    scheme: encrypted ? "https" : "http",
    host: "",
    path: "/",
    segments: [""],
    queryText: "",
    headers: origin === undefined ? new Map() : new Map([["origin", origin]]),
    clientIp: undefined,
    clientKey: undefined,
    encrypted,
    upgrade: false,
    tls: raw.tls,
    contentLength: undefined,
    hasContent: false,
  };
}
