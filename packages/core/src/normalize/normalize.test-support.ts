/** A normalizer for tests, and one plain request to vary. */
import type { TransportSettings } from "../model/policy.js";
import type { Refusal } from "../model/outcome.js";
import type { NormalizedRequest, RawRequest } from "../model/request.js";
import { Report } from "../errors/diagnostics.js";
import { resolvePolicy } from "../compile/resolve.js";
import type { PolicyDocument } from "../model/policy.js";
import type { ResolvedPolicy } from "../model/resolved.js";
import { compileNormalizer, isRefusal } from "./index.js";
import type { Normalizer, NormalizeOptions } from "./index.js";

/** @throws Error when the document has a problem of its own */
export function resolved(
  document: Omit<PolicyDocument, "gatehouse" | "name" | "routes"> & Partial<PolicyDocument>,
): ResolvedPolicy {
  const report = new Report();
  const policy = resolvePolicy(
    { gatehouse: 1, name: "test", routes: { "GET /": { authenticate: "none" } }, ...document },
    report,
  );
  if (policy === undefined) throw new Error(JSON.stringify(report.diagnostics));
  return policy;
}

export function normalizerFor(transport: TransportSettings = {}, options: NormalizeOptions = {}): Normalizer {
  return compileNormalizer(resolved({ transport }), options);
}

export function rawRequest(changes: Partial<RawRequest> = {}): RawRequest {
  return {
    method: "GET",
    target: "/",
    headers: [["Host", "a.test"]],
    remoteAddress: "203.0.113.7",
    ...changes,
  };
}

/** Code of the refusal, or the request. */
export function outcome(result: NormalizedRequest | Refusal): string | NormalizedRequest {
  return isRefusal(result) ? result.code : result;
}

/** @throws Error when the request was refused */
export function accepted(result: NormalizedRequest | Refusal): NormalizedRequest {
  if (isRefusal(result)) throw new Error(`refused: ${result.code}: ${result.reason}`);
  return result;
}
