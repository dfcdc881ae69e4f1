/** `gatehouse key`: credentials, each shown once, and what of them may be kept. */
import type { Command } from "../cli/command.js";
import { KINDS, PAIR_ALGORITHMS } from "./choices.js";

export const keyCommand: Command = {
  name: "key",
  summary: "makes an API key, a password's record, or a key pair for tokens",
  usage: [
    "api-key --id ID [options]",
    "basic --id ID [--generate] [--json]",
    "jwk [--alg ALG] [--kid KID] [--private FILE]",
  ],
  operands: { least: 1, most: 1, what: `one of ${KINDS.join(", ")}` },
  about:
    "`api-key` prints a key of 256 random bits, and its record for the keys file: only its SHA-256 is kept, so the key is shown this once. " +
    "`basic` reads a password from the standard input (never from an argument: others see those) and prints a scrypt record for the users of an authenticator of type `basic`. " +
    "`jwk` prints a private JSON Web Key for whoever signs tokens and the public set for `keys.jwks` of an authenticator.",
  options: {
    id: { type: "text", value: "ID", help: "api-key, basic: id of the principal." },
    role: {
      type: "text",
      value: "ROLE",
      multiple: true,
      help: "api-key: a role of the key; may be repeated.",
    },
    scope: {
      type: "text",
      value: "SCOPE",
      multiple: true,
      help: "api-key: a scope of the key; may be repeated.",
    },
    attribute: {
      type: "text",
      value: "NAME=VALUE",
      multiple: true,
      help: "api-key: a further field of the principal; VALUE is JSON, or else text. May be repeated.",
    },
    expires: {
      type: "text",
      value: "WHEN",
      help: "api-key: day or instant in UTC (`2027-01-31`, `2027-01-31T12:00:00Z`) from which the key is refused, or how long it lives (`90d`). Default: never.",
    },
    route: {
      type: "text",
      value: "ROUTE",
      multiple: true,
      help: "api-key: a route on which the key is accepted (`GET /orders`); may be repeated. Default: all.",
    },
    prefix: { type: "text", value: "TEXT", help: "api-key: what the key begins with. Default `key`." },
    generate: { type: "flag", help: "basic: makes the password too, and shows it this once." },
    alg: { type: "text", choices: PAIR_ALGORITHMS, help: "jwk: the algorithm. Default ES256." },
    kid: { type: "text", value: "KID", help: "jwk: name of the key. Default: its thumbprint (RFC 7638)." },
    private: {
      type: "text",
      value: "FILE",
      help: "jwk: writes the private key into a new file that only its owner may read, instead of printing it.",
    },
    json: { type: "flag", help: "api-key, basic: one JSON object, for programs." },
  },
  examples: [
    "gatehouse key api-key --id acme-1 --role customer --attribute tenant=acme --expires 90d",
    "gatehouse key basic --id ann --generate",
    "gatehouse key jwk --alg EdDSA --private signing-key.json > jwks.json",
  ],
  run: async (input, io) => (await import("./run.js")).runKey(input, io),
};
