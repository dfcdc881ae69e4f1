/** `gatehouse probe`: from the command line to a report. */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { PolicyDocument } from "@gatehouse/core";
import type { Input } from "../cli/input.js";
import { EXIT, UsageError, type Io } from "../cli/io.js";
import { readHeader } from "../explain/request.js";
import { choiceHelp } from "../lib/near.js";
import { addressFrom } from "../lib/address.js";
import { policyFrom } from "../lib/policy-file.js";
import { policyNamed } from "../lib/policy-name.js";
import type { Identity } from "./client.js";
import type { Area, ProbeFormat } from "./choices.js";
import { formatProbe } from "./formats.js";
import { readKeyId } from "./key-id.js";
import { readPeople } from "./people.js";
import { probe, type ProbeOptions } from "./probe.js";
import { keysIn, type Jwk } from "./tokens.js";

export async function runProbe(input: Input, io: Io): Promise<number> {
  const [url = ""] = input.operands;
  const format = formatOf(input);
  const file = await policyNamed(input.text("policy"), io);
  const policy = await policyFrom(file, io);
  let shown = "";
  const tell = (text: string): void => {
    if (io.watched && text !== shown) io.err(`\r${text.padEnd(shown.length)}`);
    shown = text;
  };
  const options = await optionsFrom(input, policy, file, io);
  const report = await probe(url, policy, {
    ...options,
    onProgress: (asked, found) => tell(`${asked} questions, ${found} disagreements`),
  });
  if (io.watched) io.err(`\r${" ".repeat(shown.length)}\r`);
  io.out(formatProbe(report, format, file, io.colour));
  return report.disagreements.length > 0 ? EXIT.findings : EXIT.ok;
}

function formatOf(input: Input): ProbeFormat {
  const given = input.text("format") as ProbeFormat | undefined;
  if (input.flag("json") && given !== undefined && given !== "json")
    throw new UsageError(`\`--json\` contradicts \`--format ${given}\``);
  return input.flag("json") ? "json" : (given ?? "pretty");
}

async function optionsFrom(
  input: Input,
  policy: PolicyDocument,
  file: string,
  io: Io,
): Promise<ProbeOptions> {
  const ca = input.text("cacert");
  const people = input.text("people");
  const only = input.texts("only");
  const routes = input.texts("route");
  return {
    allowHosts: input.texts("allow-host"),
    host: input.text("host"),
    headers: headersFrom(input),
    ca: ca === undefined ? undefined : await io.read(ca),
    ip: addressFrom(input, "ip"),
    certificate: await certificateFrom(input, io),
    keys: await keysFrom(input, policy, io),
    publicKeys: await publicKeysBeside(policy, file),
    people: people === undefined ? undefined : await readPeople(await io.read(people), people, io.env),
    params: Object.fromEntries(input.texts("param").map(readParam)),
    only: only.length === 0 ? undefined : (only as readonly Area[]),
    routes: routes.length === 0 ? undefined : routes,
    unsafe: input.flag("unsafe"),
    floods: input.flag("floods"),
    rate: numberOf(input, "rate", 10_000),
    maxRequests: numberOf(input, "max-requests", 1_000_000),
    wait: durationOf(input),
  };
}

function headersFrom(input: Input): Readonly<Record<string, string>> {
  const fields = input.texts("header").map(readHeader);
  const twice = fields.find(([name], at) => fields.findIndex(([other]) => other === name) !== at);
  if (twice !== undefined) throw new UsageError(`the header \`${twice[0].toLowerCase()}\` is given twice`);
  return Object.fromEntries(fields);
}

function readParam(text: string): readonly [string, string] {
  const [, name = "", value = ""] = /^(\w+)=(.+)$/u.exec(text) ?? [];
  if (name === "") throw new UsageError("`--param` is no `NAME=VALUE`");
  return [name, value];
}

function numberOf(input: Input, name: string, most: number): number | undefined {
  const text = input.text(name);
  if (text === undefined) return undefined;
  const number = /^\d+$/u.test(text) ? Number(text) : 0;
  if (number < 1 || number > most) throw new UsageError(`\`--${name}\` is no whole number from 1 to ${most}`);
  return number;
}

const MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function durationOf(input: Input): number | undefined {
  const text = input.text("wait");
  if (text === undefined) return undefined;
  const [, count = "", unit = ""] = /^(\d{1,6})(ms|s|m|h)$/u.exec(text) ?? [];
  if (count === "") throw new UsageError("`--wait` is no duration", "write for example `90s` or `5m`");
  return Number(count) * (MS[unit] ?? 1);
}

/** Those whose credentials a key makes. Whose is not said is the one that there is, of tokens before all others. */
const KEYED = ["jwt", "signature", "http-signature"];

async function keysFrom(
  input: Input,
  { authenticators = {} }: PolicyDocument,
  io: Io,
): Promise<Readonly<Record<string, string>>> {
  const of = (types: readonly string[]): readonly string[] =>
    Object.keys(authenticators).filter((name) => types.includes(authenticators[name]?.type ?? ""));
  const names = of(KEYED);
  const tokens = of(["jwt"]);
  const [sole] = [tokens, names].flatMap((some) => (some.length === 1 ? some : []));
  const keys: Record<string, string> = {};
  for (const text of input.texts("key")) {
    const [, whose, path = text] = /^([\w-]+(?::[^=]+)?)=(.+)$/su.exec(text) ?? [];
    const named = whose === undefined ? sole : readWhose(whose);
    if (named === undefined)
      throw new UsageError("`--key` does not say whose it is", "write `--key NAME=FILE`");
    const [name = ""] = named.split(":");
    if (!names.includes(name))
      throw new UsageError(
        `the policy has no authenticator \`${name}\` that a key is for`,
        choiceHelp(name, names, "authenticators"),
      );
    if (Object.hasOwn(keys, named)) throw new UsageError(`two keys are given for \`${named}\``);
    keys[named] = await io.read(path);
  }
  return keys;
}

function readWhose(text: string): string {
  const colon = text.indexOf(":");
  return colon < 0 ? text : `${text.slice(0, colon + 1)}${readKeyId(text.slice(colon + 1))}`;
}

/** One file may hold both. */
async function certificateFrom(input: Input, io: Io): Promise<Identity | undefined> {
  const file = input.text("cert");
  const keyFile = input.text("cert-key") ?? file;
  if (file === undefined) {
    if (keyFile === undefined) return undefined;
    throw new UsageError("`--cert-key` stands without `--cert`");
  }
  const cert = await io.read(file);
  return { cert, key: keyFile === file ? cert : await io.read(keyFile ?? file) };
}

/** Files to which the policy refers, where they are here: what is public in them makes a forgery that is worth its name. */
async function publicKeysBeside(
  { authenticators = {} }: PolicyDocument,
  file: string,
): Promise<Readonly<Record<string, Jwk>>> {
  const found: Record<string, Jwk> = {};
  for (const [name, settings] of Object.entries(authenticators)) {
    if (settings.type !== "jwt" || !("jwks" in settings.keys)) continue;
    const { jwks } = settings.keys;
    if (typeof jwks !== "string" || /^\w+:/u.test(jwks)) continue;
    const text = await readFile(resolve(dirname(file), jwks), "utf8").catch(() => "");
    try {
      const [first] = keysIn(JSON.parse(text));
      if (first !== undefined) found[name] = first;
    } catch {
      // Not here, or no set: whoever serves the policy is told.
    }
  }
  return found;
}
