/** Authenticators as security schemes, and who may call an operation. */
import type { PolicyDocument } from "@gatehouse/core";
import { resolveAuthenticators, type ResolvedAuthenticator } from "@gatehouse/core/analysis";
import type { RouteView } from "../lib/routes.js";

type Node = Record<string, unknown>;

export function authenticatorSchemes(policy: PolicyDocument): Node {
  return Object.fromEntries(
    [...resolveAuthenticators(policy).values()].map((one) => [one.name, schemeOf(one)]),
  );
}

function schemeOf({ carrier, settings }: ResolvedAuthenticator): Node {
  switch (carrier.in) {
    case "tls":
      return { type: "mutualTLS" };
    case "cookie":
    case "query":
      return { type: "apiKey", in: carrier.in, name: carrier.name };
    case "header":
      if (carrier.scheme === undefined)
        return { type: "apiKey", in: "header", name: writtenName(settings) ?? carrier.name };
      return settings.type === "jwt" && carrier.scheme === "bearer"
        ? { type: "http", scheme: "bearer", bearerFormat: "JWT" }
        : { type: "http", scheme: carrier.scheme };
  }
}

/** Names of fields have no case; a reader knows them as they are written. */
function writtenName(settings: ResolvedAuthenticator["settings"]): string | undefined {
  return "name" in settings ? settings.name : undefined;
}

/** Any of these will do. Scopes stand beside the last of several, whose principal it is. */
export function securityOf(view: RouteView): readonly Node[] {
  if (view.open) return [];
  const scopes = scopesOf(view);
  const named = view.authenticators.map((names) =>
    Object.fromEntries(names.map((name, index) => [name, index === names.length - 1 ? scopes : []])),
  );
  return view.optional ? [{}, ...named] : named;
}

/** Those that every caller must have, whichever entry lets it in. */
function scopesOf(view: RouteView): readonly string[] {
  const all = view.demands.map(({ entries }) => {
    if (entries === "authenticated") return [];
    const [first, ...others] = entries.map(({ entry }) => entry.scopes ?? []);
    return (first ?? []).filter((scope) => others.every((one) => one.includes(scope)));
  });
  return [...new Set(all.flat())];
}
