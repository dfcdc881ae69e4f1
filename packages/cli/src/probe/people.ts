/** A file of people whose credentials a server takes. What a credential is, no message tells. */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { UsageError } from "../cli/io.js";
import { isRecord } from "../lib/json.js";
import type { Holder } from "./keyring.js";

/**
 * @param file for references to files, which are relative to it
 * @throws UsageError (rejects) naming the person, and never the value
 */
export async function readPeople(
  text: string,
  file: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Readonly<Record<string, Holder>>> {
  const people: [string, Holder][] = [];
  for (const [name, written] of Object.entries(objectIn(text, file))) {
    if (
      !isRecord(written) ||
      typeof written["credential"] !== "string" ||
      typeof written["authenticator"] !== "string"
    )
      throw new UsageError(
        `\`${name}\` in \`${file}\` lacks \`authenticator\` or \`credential\``,
        'write for example `{ "authenticator": "user", "roles": ["clerk"], "credential": "env:ANN_TOKEN" }`',
      );
    const { credential: reference, ...person } = { ...written, credential: written["credential"] };
    // What it says beside is checked where somebody is made of it.
    people.push([name, { person, credential: await credentialOf(reference, name, file, env) }]);
  }
  return Object.fromEntries(people);
}

function objectIn(text: string, file: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UsageError(`\`${file}\` is no JSON`);
  }
  if (!isRecord(value)) throw new UsageError(`\`${file}\` is no JSON object of people`);
  return value;
}

async function credentialOf(
  reference: string,
  name: string,
  file: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const [, scheme = "", place = ""] = /^(env|file):(.+)$/u.exec(reference) ?? [];
  const text =
    scheme === "env"
      ? env[place]
      : scheme === "file"
        ? await readFile(resolve(dirname(file), place), "utf8").catch(() => undefined)
        : reference;
  const credential = text?.trim() ?? "";
  if (credential === "")
    throw new UsageError(`the credential of \`${name}\` is not there`, `it should be in \`${place}\``);
  // It goes into a field as it is: a line feed in it would be a field of its own.
  if (!/^[\u0021-\u007E]+$/u.test(credential))
    throw new UsageError(`the credential of \`${name}\` cannot stand in a header field`);
  return credential;
}
