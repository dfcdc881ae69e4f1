/** What may be chosen, apart from what does it: help must not load the engine. */
export const FORMS = ["sign", "verify"] as const;

export const ALGORITHMS = [
  "Ed25519",
  "EdDSA",
  "ES256",
  "ES384",
  "ES512",
  "PS256",
  "PS384",
  "PS512",
  "RS256",
  "RS384",
  "RS512",
] as const;
export type BundleAlgorithm = (typeof ALGORITHMS)[number];
