/** Records of users: an id and rights like an API key's, and the hash of a password in the PHC string format. */
import type { Platform, ScryptCost } from "../../ports/platform.js";
import { compileRecord, recordProblems, type CompiledRecord, type RecordProblem } from "./api-key-records.js";
import type { IdentityMaker } from "./identity.js";
import { isObject } from "./strict-json.js";

type Decode = Platform["decodeBase64Url"];

export interface PasswordHash {
  readonly cost: ScryptCost;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

export interface CompiledUser {
  readonly name: string;
  readonly password: PasswordHash;
  readonly record: CompiledRecord;
}

const PHC = /^\$scrypt\$ln=([1-9]\d?),r=([1-9]\d?),p=([1-9]\d?)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/u;

/** Node's own default, 16 MiB: what costs less is guessed too fast. */
const MIN_WORK = 2 ** 14 * 8;
/** 256 MiB: one login must not take the memory of the process. */
const MAX_BYTES = 2 ** 28;
const MAX_P = 16;
const MIN_SALT = 8;
const MIN_HASH = 16;
const MAX_FIELD = 128;

/** Undefined for what is no such hash, costs too little to guess or too much to compute. */
export function parsePasswordHash(text: string, decode: Decode): PasswordHash | undefined {
  const [, logN, r, p, salt, hash] = PHC.exec(text) ?? [];
  if (logN === undefined || salt === undefined || hash === undefined) return undefined;
  const cost = { n: 2 ** Number(logN), r: Number(r), p: Number(p) };
  if (cost.n * cost.r < MIN_WORK || 128 * cost.n * cost.r > MAX_BYTES || cost.p > MAX_P) return undefined;
  const saltBytes = decode(urlSafe(salt));
  const hashBytes = decode(urlSafe(hash));
  if (saltBytes === undefined || hashBytes === undefined) return undefined;
  if (saltBytes.length < MIN_SALT || saltBytes.length > MAX_FIELD) return undefined;
  if (hashBytes.length < MIN_HASH || hashBytes.length > MAX_FIELD) return undefined;
  return { cost, salt: saltBytes, hash: hashBytes };
}

function urlSafe(base64: string): string {
  return base64.replaceAll("+", "-").replaceAll("/", "_");
}

/** Everything that is wrong with its shape. Empty: `compileUser` may be called. */
export function userProblems(record: unknown, decode: Decode): readonly RecordProblem[] {
  if (!isObject(record)) return recordProblems(record, false);
  const { scrypt, sha256, ...common } = record;
  const problems = [...recordProblems(common, false)];
  if (sha256 !== undefined)
    problems.push({ member: "sha256", problem: "`sha256` of a password is guessed back in no time" });
  if (typeof common["id"] === "string" && /[:\p{Cc}]/u.test(common["id"]))
    problems.push({
      member: "id",
      problem: "`id` has a colon or a control character, which Basic cannot say",
    });
  if (typeof scrypt !== "string" || parsePasswordHash(scrypt, decode) === undefined) {
    const problem =
      "`scrypt` is no hash of the form `$scrypt$ln=17,r=8,p=1$…$…`, or one of too little or too much work";
    problems.push({ member: "scrypt", problem, help: "make one by `gatehouse key basic`" });
  }
  return problems;
}

/** Of a record without problems. */
export function compileUser(
  value: unknown,
  identify: IdentityMaker,
  decode: Decode,
): CompiledUser | undefined {
  if (!isObject(value) || typeof value["id"] !== "string") return undefined;
  const { scrypt: hash, ...common } = value;
  const password = typeof hash === "string" ? parsePasswordHash(hash, decode) : undefined;
  const record = compileRecord(common, identify);
  if (password === undefined || record === undefined) return undefined;
  return { name: value["id"].normalize("NFC"), password, record };
}
