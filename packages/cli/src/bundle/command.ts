/** `gatehouse bundle`: signs policies for services that take nothing else, and looks at what was signed. */
import type { Command } from "../cli/command.js";
import { ALGORITHMS } from "./choices.js";

export const bundleCommand: Command = {
  name: "bundle",
  summary: "signs a policy with its number and tests, or verifies what was signed",
  usage: [
    "sign POLICY --revision N --key FILE [--kid KID] [--alg ALG] [--tests FILE]...",
    "verify BUNDLE --name NAME --key FILE [--kid KID] [--alg ALG] [--min-revision N] [--policy]",
  ],
  operands: { least: 2, most: 2, what: "`sign` and a policy, or `verify` and a bundle" },
  about:
    "`sign` checks the policy, runs its tests, and prints a bundle for `watchPolicy` and `pollPolicy`. `verify` exits with 1 where the bundle is not to be trusted. " +
    "Keys are PEM, JSON Web Keys, or, to verify, sets of them (`gatehouse key jwk` makes both).",
  options: {
    revision: {
      type: "text",
      value: "N",
      help: "sign: number of the bundle, higher than that of every one before.",
    },
    key: {
      type: "text",
      value: "FILE",
      help: "The private key (sign) or the public one (verify). `-` is the standard input.",
    },
    kid: { type: "text", value: "KID", help: "Name of the key. Default: what the JSON Web Key says." },
    alg: {
      type: "text",
      choices: ALGORITHMS,
      help: "The algorithm. Default: what the JSON Web Key says, or the usual one for its type (EdDSA, ES256, ES384, ES512, PS256).",
    },
    tests: {
      type: "text",
      value: "FILE",
      multiple: true,
      help: "sign: a file of policy tests that goes into the bundle; may be repeated. One that fails is not signed.",
    },
    name: {
      type: "text",
      value: "NAME",
      help: "verify: name of the policy that the bundle must be for.",
    },
    "min-revision": { type: "text", value: "N", help: "verify: lowest number. Default 1." },
    policy: { type: "flag", help: "verify: prints the policy, as JSON, in place of what it is." },
  },
  examples: [
    "gatehouse bundle sign policy.jsonc --revision 42 --key signing-key.json --tests orders.policy-test.json > orders.bundle",
    "gatehouse bundle verify orders.bundle --name orders --key jwks.json",
  ],
  run: async (input, io) => (await import("./run.js")).runBundle(input, io),
};
