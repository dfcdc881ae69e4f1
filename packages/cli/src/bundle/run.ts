/** `gatehouse bundle`. */
import { resolve } from "node:path";
import { parsePolicy, PolicyError, verifyBundle } from "@gatehouse/core";
import { policyTests, signBundle } from "@gatehouse/core/node";
import { PolicyTestError, readPolicyTests, type PolicyTestFile } from "@gatehouse/core/testing";
import type { Input } from "../cli/input.js";
import { EXIT, UsageError, type Io } from "../cli/io.js";
import { choiceHelp } from "../lib/near.js";
import { printable } from "../lib/printable.js";
import { FORMS, type BundleAlgorithm } from "./choices.js";
import { pinnedKeys, signingKey, type Said } from "./keys.js";

const FOREIGN = { sign: ["name", "min-revision", "policy"], verify: ["revision", "tests"] } as const;

export function runBundle(input: Input, io: Io): Promise<number> {
  const [form = "", file = ""] = input.operands;
  if (form !== "sign" && form !== "verify") {
    throw new UsageError(`\`bundle\` cannot \`${form}\``, choiceHelp(form, FORMS, "forms"));
  }
  const foreign = FOREIGN[form].find((name) => input.has(name));
  if (foreign !== undefined) throw new UsageError(`\`--${foreign}\` is not for \`bundle ${form}\``);
  return form === "sign" ? signed(file, input, io) : verified(file, input, io);
}

async function signed(file: string, input: Input, io: Io): Promise<number> {
  const revision = numberOf(needed(input, "revision"), "revision");
  const key = signingKey(await io.read(needed(input, "key")), saidOf(input));
  try {
    const policy = parsePolicy(await io.read(file), file);
    const tests: PolicyTestFile[] = [];
    for (const path of input.texts("tests")) tests.push(await testsIn(path));
    const failures = await policyTests(policy, tests);
    if (failures.length > 0) return refused(io, ["the policy fails its tests", ...failures]);
    io.out(await signBundle({ revision, policy, ...(tests.length > 0 && { tests }) }, [key]));
    return EXIT.ok;
  } catch (error) {
    if (error instanceof PolicyError || error instanceof PolicyTestError) return refused(io, [error.message]);
    throw error instanceof UsageError ? error : new UsageError(messageOf(error));
  }
}

async function testsIn(path: string): Promise<PolicyTestFile> {
  try {
    return await readPolicyTests(resolve(path));
  } catch (error) {
    if (error instanceof PolicyTestError) throw error;
    throw new UsageError(`\`${path}\` cannot be read`);
  }
}

async function verified(file: string, input: Input, io: Io): Promise<number> {
  const keys = pinnedKeys(await io.read(needed(input, "key")), saidOf(input));
  const policyName = needed(input, "name");
  const least = input.text("min-revision");
  const minRevision = least === undefined ? 1 : numberOf(least, "min-revision");
  const text = await io.read(file);
  try {
    const { policy, revision, signedBy, tests } = await verifyBundle(text, { keys, policyName, minRevision });
    if (input.flag("policy")) io.out(`${JSON.stringify(policy, null, 2)}\n`);
    else {
      const facts = [`policy    ${policy.name}`, `revision  ${revision}`, `signed by ${signedBy}`];
      io.out(printable(`${[...facts, `tests     ${tests.length}`].join("\n")}\n`));
    }
    return EXIT.ok;
  } catch (error) {
    return refused(io, [messageOf(error)]);
  }
}

function refused(io: Io, lines: readonly string[]): number {
  io.err(printable(`${lines.join("\n  ")}\n`));
  return EXIT.findings;
}

function needed(input: Input, name: string): string {
  const value = input.text(name);
  if (value === undefined) throw new UsageError(`\`--${name}\` is missing`);
  return value;
}

function numberOf(text: string, option: string): number {
  const number = /^[1-9]\d{0,15}$/u.test(text) ? Number(text) : 0;
  if (!Number.isSafeInteger(number) || number < 1)
    throw new UsageError(`\`--${option}\` is no whole number from 1`);
  return number;
}

function saidOf(input: Input): Said {
  // The table of options admits nothing else.
  return { kid: input.text("kid"), alg: input.text("alg") as BundleAlgorithm | undefined };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "it failed";
}
