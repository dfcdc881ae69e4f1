/** `gatehouse key`: credentials, each shown once, and what of them may be kept. */
import { randomBytes } from "node:crypto";
import type { Input } from "../cli/input.js";
import { EXIT, UsageError, type Io } from "../cli/io.js";
import { choiceHelp } from "../lib/near.js";
import { makeApiKey, type KeyGrant } from "./api-key.js";
import { grantFrom, refuseForeign } from "./grant.js";
import { KINDS, type Kind, type PairAlgorithm } from "./choices.js";
import { makeKeyPair } from "./pair.js";
import { makePasswordRecord } from "./password.js";

export async function runKey(input: Input, io: Io): Promise<number> {
  const [kind = ""] = input.operands;
  if (!isKind(kind))
    throw new UsageError(`there is no key of kind \`${kind}\``, choiceHelp(kind, KINDS, "kinds"));
  refuseForeign(kind, input);
  await MAKERS[kind](input, io);
  return EXIT.ok;
}

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
