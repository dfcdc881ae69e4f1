/** What a credential of an authenticator can say by itself: not what the policy maps to a constant, or not at all. */
import { parsePointer } from "../../lib/pointer.js";
import type { PrincipalMap } from "../../model/policy.js";
import type { ResolvedAuthenticator } from "../../model/resolved.js";
import { textsOf } from "../claims.js";

function mapOf({ settings }: ResolvedAuthenticator): PrincipalMap {
  switch (settings.type) {
    case "jwt":
    case "introspection":
      return settings.principal === undefined
        ? { id: "sub", scopes: "scope" }
        : { id: "sub", ...settings.principal };
    case "custom":
      return settings.principal ?? {};
    case "signature":
      return settings.principal ?? {};
    case "api-key":
    case "http-signature":
    case "basic":
    case "mtls":
      return {};
  }
}

/** Whether a credential says it by itself: not where the policy has a constant, or where nothing maps it. */
export function canBring(authenticator: ResolvedAuthenticator, field: "roles" | "scopes"): boolean {
  const source = mapOf(authenticator)[field];
  const { type } = authenticator.settings;
  return source === undefined ? type === "api-key" || type === "custom" : typeof source === "string";
}

export function constantOf(
  authenticator: ResolvedAuthenticator,
  field: "roles" | "scopes",
): readonly string[] | undefined {
  const source = mapOf(authenticator)[field];
  if (source === undefined || typeof source === "string") return undefined;
  return (textsOf(source.value) ?? []).filter((text) => typeof text === "string");
}

const REGISTERED: ReadonlySet<string> = new Set(["iss", "aud", "sub", "exp", "nbf", "iat", "jti", "cnf"]);

/** Those whose claim nothing else has a part in. */
export function freeAttributes(authenticator: ResolvedAuthenticator): readonly string[] {
  const sources = Object.entries(mapOf(authenticator));
  const first = (source: unknown): string => (typeof source === "string" ? (stepsOf(source)[0] ?? "") : "");
  return sources
    .filter(([field, source]) => {
      if (["id", "roles", "scopes"].includes(field) || typeof source !== "string") return false;
      const claim = first(source);
      const sharers = sources.filter(([, other]) => first(other) === claim);
      return sharers.length === 1 && !REGISTERED.has(claim);
    })
    .map(([field]) => field);
}

/** Fields of the principal that are read from one of these claims. */
export function fieldsFrom(
  authenticator: ResolvedAuthenticator,
  claims: readonly string[],
): readonly string[] {
  return Object.entries(mapOf(authenticator)).flatMap(([field, source]) =>
    typeof source === "string" && claims.includes(stepsOf(source)[0] ?? "") ? [field] : [],
  );
}

export function stepsOf(path: string): readonly string[] {
  return path.startsWith("/") ? (parsePointer(path) ?? []) : path.split(".");
}
