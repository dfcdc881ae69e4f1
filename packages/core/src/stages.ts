/**
 * THE order in which a request meets the stages. Written once; nothing else knows it.
 * Nothing that a caller can send reaches a costlier stage before the cheaper ones have passed.
 */
export const STAGES = [
  // One reading of the request or none: everything below decides on it.
  "normalize",
  // Whoever has more to do than it can must say so before it does any of it: even asking a shared store of limits costs more.
  "shed",
  // Before anything else can answer, so that preflights, 404 and 401 are metered too.
  "global-limit",
  // Before any rule reads the host or a credential is looked at on a plain connection.
  "transport",
  // 404 and 405 need nothing but method and path; matching itself happened after `normalize`, so that what comes before
  // already speaks in the route's own headers and error shape.
  "route",
  // A preflight carries no credentials and must be answered before they are asked for.
  "cors",
  // Guessing credentials is metered before a credential is verified.
  "limit-connection",
  // Everything below may ask who calls.
  "authenticate",
  // Only an authenticated request can be forged; how the credential travelled is known now.
  "csrf",
  // The principal's own budget, before work is done in its name.
  "limit-principal",
  // Conditions below read typed parameters.
  "parameters",
  // Limits whose condition or cost reads typed parameters.
  "limit-parameters",
  // No body is read for a caller who is not allowed in.
  "authorize",
  // A credential that is a signature over the body, before anything makes sense of the bytes. On such a request what stands between
  // `authenticate` and here waits for it, `parameters` apart.
  "signature",
  // Type, size and syntax, before a schema walks the value.
  "body",
  // The schema, before any rule reads a field of the body.
  "validate",
  // Costs more than a schema; everything below reads what it left.
  "sanitize",
  // What was left must still be what the schema says.
  "revalidate",
  // Limits that read the body.
  "limit-body",
  // Conditions that read the body.
  "authorize-body",
  // The application's own code runs last: it may be slow, and nothing unproven reaches it.
  "check",
  // On the record as admitted is only what nothing else can refuse any more.
  "record",
  // The handler's answer.
  "respond",
] as const;

export type StageName = (typeof STAGES)[number];

const RANK: ReadonlyMap<StageName, number> = new Map(STAGES.map((name, index) => [name, index]));

/** Place of a stage in the order, from 0. */
export function rankOf(stage: StageName): number {
  return RANK.get(stage) ?? STAGES.length;
}
