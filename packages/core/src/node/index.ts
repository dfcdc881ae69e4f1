/** What only Node has: policies as files, the places where secrets lie, and bundles that are signed and kept. */
import { readFile } from "node:fs/promises";
import { nodeSecrets as ofThisPlatform } from "#platform";
import { parsePolicy, type PolicyDocument } from "../index.js";
import type { SecretSource } from "../ports/secrets.js";

/**
 * Reads and parses a policy file (JSON with comments). Diagnostics of the document carry the file's name, and `file:`
 * secrets and JWKS files are looked up beside it.
 * @throws Error when the file cannot be read
 * @throws PolicyError when it cannot be parsed
 */
export async function readPolicy(path: string): Promise<PolicyDocument> {
  return parsePolicy(await readFile(path, "utf8"), path);
}

/**
 * Where `env:NAME` and `file:PATH` lead, as an engine resolves them by default; every other reference is unresolved. One newline at a
 * file's end is no part of the secret.
 */
export const nodeSecrets: SecretSource = ofThisPlatform;

export { keepBundle } from "./keep-bundle.js";
export { policyTests } from "./policy-tests.js";
export { signBundle } from "./sign-bundle.js";
export type { BundleContent } from "./sign-bundle.js";
export type { SigningKey } from "./signing.js";
export { jsonLines } from "./json-lines.js";
export type { ChainOptions, JsonLines, JsonLinesOptions, LogProblem, LogStatus } from "./json-lines.js";
export { decisionChannel } from "./decision-channel.js";
export { verifyLog } from "./verify-log.js";
export type { LogFault, LogVerdict } from "./verify-log.js";
export { watchPolicy } from "./watch-policy.js";
export type { WatchOptions } from "./watch-policy.js";
