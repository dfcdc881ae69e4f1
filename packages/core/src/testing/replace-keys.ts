/**
 * The policy under test with keys of the kit's own. `keys` of authenticators is all that differs, the nonces of proofs, and what would be
 * remembered from one test to the next (unknown credentials of an address, answers about opaque tokens), so that issuer, audience,
 * `typ`, tolerance, the principal's map and everything else that decides is the policy's.
 */
import type { PolicyDocument } from "../index.js";
import { isJwsAlgorithm } from "../lib/jws.js";
import { MESSAGE_ALGORITHMS } from "../lib/message-algorithms.js";
import type {
  ApiKeySettings,
  AuthenticatorSettings,
  IntrospectionSettings,
  JwtSettings,
  MessageKey,
} from "../model/policy.js";
import { publicJwk } from "./keys.js";

/** By which name the lookup of an api-key authenticator is handed to the engine. */
export function lookupName(authenticator: string): string {
  return `throwaway-${authenticator}`;
}

/** Forged credentials are what tests are made of. */
const UNLIMITED = "unlimited" as const;

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
      return { ...settings, keys, failures: UNLIMITED };
    }
    case "introspection": {
      const { id } = settings.client;
      const secret = "secret" in settings.client ? settings.client.secret : settings.client.key;
      // A test sets the clock as it likes: what was said at another time must not be remembered. Each is asked about on its own.
      return withoutNonces({
        ...settings,
        client: { id, secret },
        cache: "0s",
        cacheInactive: "0s",
        failures: UNLIMITED,
      });
    }
    case "http-signature":
      return { ...settings, keys: settings.keys.map(withOwnKey) };
    default:
      return settings;
  }
}

/** A policy's keys may be of one signer or of many: here one key pair of a type signs for all of them. */
function withOwnKey(key: MessageKey): MessageKey {
  if ("secret" in key.key) return key;
  return { ...key, key: { jwk: publicJwk(MESSAGE_ALGORITHMS[key.algorithm]) } };
}

/** A proof of the kit's is made without having been answered before, so it can know no nonce. */
function withoutNonces<T extends JwtSettings | IntrospectionSettings>(settings: T): T {
  if (typeof settings.senderConstrained !== "object") return settings;
  const { nonce: _nonce, nonceLife: _life, ...senderConstrained } = settings.senderConstrained;
  return { ...settings, senderConstrained };
}

/** A shared secret keeps its reference: what it stands for is the secret source's to say. */
function tokenKeys({ keys, algorithms }: JwtSettings): JwtSettings["keys"] {
  if ("secret" in keys) return keys;
  return { jwks: { keys: algorithms.filter(isJwsAlgorithm).map(publicJwk) } };
}
