/** Authenticators as security schemes, and who may call an operation. */
import type { PolicyDocument } from "@gatehouse/core";
import type { RouteView } from "../lib/routes.js";
import { member, textOf } from "./source.js";

type Node = Record<string, unknown>;
type Authenticator = NonNullable<PolicyDocument["authenticators"]>[string];

export function authenticatorSchemes(policy: PolicyDocument): Node {
  return Object.fromEntries(
    Object.entries(policy.authenticators ?? {}).map(([name, settings]) => [name, schemeOf(settings)]),
  );
}

function schemeOf(settings: Authenticator): Node {
  const { type } = settings;
  const carrier = textOf(member(settings, "in")) ?? "header";
  const name = textOf(member(settings, "name")) ?? "Authorization";
  const scheme = textOf(member(settings, "scheme")) ?? "Bearer";
  if (carrier === "header" && name.toLowerCase() === "authorization")
    return type === "jwt" && scheme.toLowerCase() === "bearer"
      ? { type: "http", scheme: "bearer", bearerFormat: "JWT" }
      : { type: "http", scheme: scheme.toLowerCase() };
  if (carrier === "tls") return { type: "mutualTLS" };
  return { type: "apiKey", in: carrier, name };
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
