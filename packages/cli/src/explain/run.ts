/** `gatehouse explain`: what becomes of one request, and why. */
import { dirname, resolve } from "node:path";
import { readFile } from "node:fs/promises";
import { parseEnv } from "node:util";
import { formatDiagnostic, PolicyError, type PolicyDocument, type SecretSource } from "@gatehouse/core";
import { PolicyTestError, readPolicyTests, type TestPerson } from "@gatehouse/core/testing";
import type { Input } from "../cli/input.js";
import { EXIT, UsageError, type Io } from "../cli/io.js";
import { choiceHelp } from "../lib/near.js";
import { addressFrom } from "../lib/address.js";
import { policyFrom } from "../lib/policy-file.js";
import { policyNamed } from "../lib/policy-name.js";
import { checksIn, lacksSecrets } from "./ask.js";
import { explain, type ExplainOptions } from "./explain.js";
import { requestFrom, wholeNumber } from "./from-input.js";
import { formatExplanation } from "./pretty.js";
import { has, readHeader, type WireRequest } from "./request.js";

export async function runExplain(input: Input, io: Io): Promise<number> {
  const file = await policyNamed(input.operands[0], io);
  const policy = await policyFrom(file, io);
  const read = await requestFrom(input, io);
  const { ignored } = read;
  const request = withExtras(read.request, input);
  const options = await optionsFrom(input, policy, file, io);
  const found = await explained(policy, request, options);
  if (input.flag("json")) io.out(`${JSON.stringify(found, null, 2)}\n`);
  else io.out(formatExplanation(found, { colour: io.colour }));
  if (ignored.length > 0)
    io.err(`note: of the curl command ignored, because no policy sees it: ${ignored.join(", ")}\n`);
  return found.outcome === "refuse" ? EXIT.findings : EXIT.ok;
}

async function explained(
  ...[policy, request, options]: Parameters<typeof explain>
): ReturnType<typeof explain> {
  try {
    return await explain(policy, request, options);
  } catch (error) {
    if (lacksSecrets(error)) {
      const missing = error.diagnostics.map(({ message }) => message).join("; ");
      throw new UsageError(
        missing,
        "set it, give --env FILE, or assume a person with --assume-person: then no key is needed",
      );
    }
    if (error instanceof PolicyError || error instanceof PolicyTestError)
      throw new UsageError(
        error.diagnostics
          .map(({ message, help }) => `${message}${help === undefined ? "" : ` (${help})`}`)
          .join("; "),
      );
    throw error;
  }
}

/** What the flags say goes over what was pasted or saved. */
function withExtras(base: WireRequest, input: Input): WireRequest {
  const own = input.texts("header").map(readHeader);
  const token = input.text("token");
  if (token !== undefined) own.push(["Authorization", `Bearer ${token}`]);
  const names = new Set(own.map(([name]) => name.toLowerCase()));
  const headers = [...base.headers.filter(([name]) => !names.has(name.toLowerCase())), ...own];
  if (base.body !== undefined && !has(headers, "content-type"))
    headers.push(["Content-Type", "application/json"]);
  if (input.has("data") && !input.has("url")) throw new UsageError("`--data` is for `--url`");
  return {
    ...base,
    headers,
    method: input.text("method") ?? base.method,
    ip: addressFrom(input, "ip") ?? base.ip,
  };
}

async function optionsFrom(
  input: Input,
  policy: PolicyDocument,
  file: string,
  io: Io,
): Promise<ExplainOptions> {
  const at = input.text("at");
  const repeat = input.text("repeat");
  const env = input.text("env");
  const time = at === undefined ? undefined : Date.parse(at);
  if (time !== undefined && Number.isNaN(time))
    throw new UsageError("`--at` is no instant", "write for example `2026-06-01T12:00:00Z`");
  return {
    file: file === "-" ? undefined : file,
    person: await personFrom(input),
    checks: Object.fromEntries(input.texts("check").map((one) => checkFrom(one, policy))),
    at: time,
    repeat: repeat === undefined ? undefined : wholeNumber("repeat", repeat, 10_000),
    secrets: env === undefined ? undefined : secretsFrom(await io.read(env), io),
  };
}

function checkFrom(text: string, policy: PolicyDocument): [string, boolean] {
  const [, name = "", answer] = /^(.+)=(yes|no)$/u.exec(text) ?? [];
  if (answer === undefined) throw new UsageError("`--check` is no `NAME=yes` or `NAME=no`");
  const known = checksIn(policy);
  if (!known.includes(name))
    throw new UsageError(`the policy asks no check \`${name}\``, choiceHelp(name, known, "checks"));
  return [name, answer === "yes"];
}

async function personFrom(input: Input): Promise<TestPerson | undefined> {
  const written = input.text("assume-person");
  const name = input.text("as");
  const file = input.text("people");
  if (written !== undefined && name !== undefined)
    throw new UsageError("`--as` and `--assume-person` are two persons");
  if ((name === undefined) !== (file === undefined))
    throw new UsageError("`--as` and `--people` go together");
  if (written !== undefined) return personOf(written);
  if (name === undefined || file === undefined) return undefined;
  const people = await peopleOf(file);
  const person = Object.hasOwn(people, name) ? people[name] : undefined;
  if (person === undefined)
    throw new UsageError(
      `nobody in \`${file}\` is called \`${name}\``,
      choiceHelp(name, Object.keys(people), "people"),
    );
  return { id: name, ...person };
}

function personOf(text: string): TestPerson {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UsageError("`--assume-person` is no JSON", `write for example '{"roles":["clerk"]}'`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new UsageError("`--assume-person` is no JSON object");
  return { id: "somebody", ...value };
}

async function peopleOf(file: string): Promise<Readonly<Record<string, TestPerson>>> {
  try {
    return (await readPolicyTests(file)).people ?? {};
  } catch (error) {
    if (error instanceof PolicyTestError)
      throw new UsageError(error.diagnostics.map(formatDiagnostic).join("\n  "));
    throw new UsageError(`\`${file}\` cannot be read`);
  }
}

/** `env:` from the file and then the environment, `file:` beside the policy, as the engine itself looks them up. */
function secretsFrom(text: string, io: Io): SecretSource {
  const variables = parseEnv(text);
  return {
    async get(reference, baseFile) {
      const [, scheme, name = ""] = /^(env|file):(.*)$/u.exec(reference) ?? [];
      if (scheme === "env") return variables[name] ?? io.env[name];
      if (scheme !== "file") return undefined;
      return withoutNewline(await readFile(resolve(dirname(baseFile ?? "."), name)).catch(() => undefined));
    },
  };
}

/** Editors and `echo` end a file with one that is no part of the secret. */
function withoutNewline(bytes: Buffer | undefined): Buffer | undefined {
  if (bytes?.at(-1) !== 0x0a) return bytes;
  return bytes.subarray(0, bytes.at(-2) === 0x0d ? -2 : -1);
}
