/** `gatehouse key`: credentials, each shown once, and what of them may be kept. */
import { randomBytes } from "node:crypto";
import type { Command } from "../cli/command.js";
import type { Input } from "../cli/input.js";
import { EXIT, UsageError, type Io } from "../cli/io.js";
import { choiceHelp } from "../lib/near.js";
import { makeApiKey, type KeyGrant } from "./api-key.js";
import { grantFrom, refuseForeign } from "./grant.js";
import { makeKeyPair, PAIR_ALGORITHMS, type PairAlgorithm } from "./pair.js";
import { makePasswordRecord } from "./password.js";

const KINDS = ["api-key", "basic", "jwk"] as const;
type Kind = (typeof KINDS)[number];

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
    "`basic` reads a password from the standard input (never from an argument: others see those) and prints a scrypt record; authenticators of type `basic` come in a later version of the language, which refuses them until then. " +
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
  async run(input, io) {
    const [kind = ""] = input.operands;
    if (!isKind(kind))
      throw new UsageError(`there is no key of kind \`${kind}\``, choiceHelp(kind, KINDS, "kinds"));
    refuseForeign(kind, input);
    await MAKERS[kind](input, io);
    return EXIT.ok;
  },
};

function isKind(text: string): text is Kind {
  return KINDS.some((kind) => kind === text);
}

const MAKERS: Readonly<Record<Kind, (input: Input, io: Io) => Promise<void>>> = {
  "api-key": apiKey,
  basic,
  jwk,
};

function apiKey(input: Input, io: Io): Promise<void> {
  const grant: KeyGrant = grantFrom(input, io.now());
  const made = makeApiKey(grant);
  if (input.flag("json")) io.out(json(made));
  else io.out(shown("key", made.key, "record for the keys file", made.record));
  return Promise.resolve();
}

async function basic(input: Input, io: Io): Promise<void> {
  const id = input.text("id") ?? "";
  if (id === "") throw new UsageError("`--id` is missing", "it names the principal");
  const generated = input.flag("generate") ? randomBytes(24).toString("base64url") : undefined;
  const password = generated ?? (await passwordFrom(io));
  const record = await makePasswordRecord(id, password);
  if (input.flag("json")) io.out(json(generated === undefined ? { record } : { password, record }));
  else if (generated === undefined) io.out(json(record));
  else io.out(shown("password", password, "record", record));
  io.err("note: authenticators of type `basic` are refused by this version; the record is for a later one\n");
}

const LEAST_PASSWORD = 8;

async function passwordFrom(io: Io): Promise<string> {
  if (io.typed)
    throw new UsageError(
      "a password is not typed here, where it would be shown",
      "pipe it in, or use --generate",
    );
  const password = (await io.read("-")).replace(/\r?\n$/u, "");
  if (Array.from(password).length < LEAST_PASSWORD)
    throw new UsageError(
      `the password has fewer than ${LEAST_PASSWORD} characters`,
      "take a longer one, or use --generate",
    );
  return password;
}

async function jwk(input: Input, io: Io): Promise<void> {
  const algorithm = (input.text("alg") ?? "ES256") as PairAlgorithm;
  const file = input.text("private");
  const kid = input.text("kid");
  const { privateKey, publicKeys } = await makeKeyPair(algorithm, kid);
  if (file === undefined) io.out(json({ private: privateKey, public: publicKeys }));
  else {
    await io.writeSecret(file, json(privateKey));
    io.out(json(publicKeys));
  }
}

function shown(what: string, secret: string, about: string, record: object): string {
  return `${what}, shown this once:\n  ${secret}\n\n${about}:\n${json(record)}`;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
