/** Records of API keys, wherever they come from: the policy, a secret, or application code. Bad ones are refused whole. */
import { fromHex } from "../../lib/bytes.js";
import { parseInstant } from "../../lib/http-date.js";
import type { Accepted, Bad } from "./judgement.js";
import { bad } from "./judgement.js";
import type { IdentityMaker } from "./identity.js";
import { frozenCopy, isObject } from "./strict-json.js";
import { textsFrom } from "./texts.js";

export interface CompiledRecord {
  /** Undefined where application code found the record and did not repeat it. */
  readonly digest: Uint8Array | undefined;
  readonly accepted: Accepted;
  /** Milliseconds since the epoch; the first instant at which the key is good no more. */
  readonly expires: number;
  /** Undefined: all. */
  readonly routes: ReadonlySet<string> | undefined;
}

/** What is wrong with a record, in words, and at which member. */
export interface RecordProblem {
  readonly member: string;
  readonly problem: string;
  readonly help?: string;
}

const MEMBERS = new Set(["id", "sha256", "roles", "scopes", "attributes", "expires", "routes"]);
/** Fields of a principal that no attribute may stand in for, and names that are no fields of any object. */
const RESERVED = new Set([
  "id",
  "roles",
  "scopes",
  "claims",
  "authenticator",
  "authenticated",
  "with",
  "__proto__",
  "constructor",
  "prototype",
]);

export const EXPIRED_KEY: Bad = bad("the API key has expired");

/** Everything that is wrong with its shape. Empty: `compileRecord` may be called. */
export function recordProblems(record: unknown, digestRequired: boolean): readonly RecordProblem[] {
  if (!isObject(record)) return [{ member: "", problem: "the record is no JSON object" }];
  const problems: RecordProblem[] = [];
  const wrong = (member: string, problem: string): void => void problems.push({ member, problem });
  for (const member of Object.keys(record))
    if (!MEMBERS.has(member)) wrong(member, `unknown member \`${member}\``);
  const { id, sha256, expires } = record;
  if (typeof id !== "string" || id === "") wrong("id", "`id` is no non-empty string");
  if (sha256 === undefined ? digestRequired : digestOf(sha256) === undefined)
    wrong("sha256", "`sha256` is not 64 hex digits");
  for (const member of ["roles", "scopes", "routes"]) {
    if (!isTextList(record[member])) wrong(member, `\`${member}\` is no list of non-empty strings`);
  }
  if (expires !== undefined && instantOf(expires) === undefined)
    wrong("expires", "`expires` is no day or instant in UTC");
  return [...problems, ...attributeProblems(record["attributes"])];
}

export function attributeProblems(attributes: unknown): readonly RecordProblem[] {
  if (attributes === undefined) return [];
  if (!isObject(attributes) || frozenCopy(attributes) === undefined)
    return [{ member: "attributes", problem: "`attributes` is no JSON object" }];
  return Object.keys(attributes)
    .filter((name) => RESERVED.has(name))
    .map((name) => ({
      member: "attributes",
      problem: `an attribute cannot be called \`${name}\``,
      help: "the principal has a field of that name",
    }));
}

function isTextList(value: unknown): boolean {
  return (
    value === undefined ||
    (Array.isArray(value) && value.every((text) => typeof text === "string" && text !== ""))
  );
}

function instantOf(value: unknown): number | undefined {
  return typeof value === "string" ? parseInstant(value) : undefined;
}

function digestOf(value: unknown): Uint8Array | undefined {
  const digest = typeof value === "string" ? fromHex(value) : undefined;
  return digest?.length === 32 ? digest : undefined;
}

function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === "string") : [];
}

/** Of a record without problems. */
export function compileRecord(record: unknown, identify: IdentityMaker): CompiledRecord | undefined {
  if (!isObject(record) || typeof record["id"] !== "string") return undefined;
  const attributes = frozenCopy(record["attributes"] ?? {});
  if (attributes === undefined) return undefined;
  const accepted = identify({
    kind: "grant",
    id: record["id"],
    roles: textsFrom(textsIn(record["roles"])),
    scopes: textsFrom(textsIn(record["scopes"])),
    // What is known of the caller beyond id and rights, under the name by which rules ask every authenticator for it.
    claims: attributes,
    attributes,
  });
  return Object.freeze({
    digest: digestOf(record["sha256"]),
    accepted,
    expires: instantOf(record["expires"]) ?? Infinity,
    routes: record["routes"] === undefined ? undefined : new Set(textsIn(record["routes"])),
  });
}
