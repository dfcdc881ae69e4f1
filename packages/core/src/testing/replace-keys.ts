/**
 * The policy under test with keys of the kit's own. `keys` of authenticators, and the nonces of proofs, are all that differs, so that issuer, audience,
 * `typ`, tolerance, the principal's map and everything else that decides is the policy's.
 */
import type { PolicyDocument } from "../index.js";
import { isJwsAlgorithm } from "../lib/jws.js";
import type { ApiKeySettings, AuthenticatorSettings, JwtSettings } from "../model/policy.js";
import { publicJwk } from "./keys.js";

/** By which name the lookup of an api-key authenticator is handed to the engine. */
export function lookupName(authenticator: string): string {
  return `throwaway-${authenticator}`;
}

export function replaceKeys(document: PolicyDocument): PolicyDocument {
  const { authenticators } = document;
  if (authenticators === undefined) return document;
  const replaced = Object.entries(authenticators).map(
    ([name, settings]) => [name, withKeys(name, settings)] as const,
  );
  return { ...document, authenticators: Object.fromEntries(replaced) };
}

function withKeys(name: string, settings: AuthenticatorSettings): AuthenticatorSettings {
  switch (settings.type) {
    case "jwt":
      return withoutNonces({ ...settings, keys: tokenKeys(settings) });
    case "api-key": {
      const keys: ApiKeySettings["keys"] = { lookup: lookupName(name) };
      return { ...settings, keys };
    }
    default:
      return settings;
  }
}

/** A proof of the kit's is made without having been answered before, so it can know no nonce. */
function withoutNonces(settings: JwtSettings): JwtSettings {
  if (typeof settings.senderConstrained !== "object") return settings;
  const { nonce: _nonce, nonceLife: _life, ...senderConstrained } = settings.senderConstrained;
  return { ...settings, senderConstrained };
}

/** A shared secret keeps its reference: what it stands for is the secret source's to say. */
function tokenKeys({ keys, algorithms }: JwtSettings): JwtSettings["keys"] {
  if ("secret" in keys) return keys;
  return { jwks: { keys: algorithms.filter(isJwsAlgorithm).map(publicJwk) } };
}
