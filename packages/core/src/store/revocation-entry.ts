/** Entries of the list as bytes, and what an application may ask to revoke. */
import { didYouMean } from "../errors/did-you-mean.js";
import { strictText, utf8 } from "../lib/bytes.js";
import { TOKEN_TYPES, type Revocation } from "../ports/revocations.js";
import type { RevocationEntry } from "./revocation-list.js";

const MAX_TEXT = 1024;
const MEMBERS = new Set(["authenticator", "jti", "sid", "id", "before", "until"]);
const KINDS = ["jti", "sid", "id"] as const;

/** Of the policy: by name, each with its type. */
export type Authenticators = Readonly<Record<string, { readonly type: string }>>;

/** @throws TypeError naming what is wrong with it, never a value: of an entry that nothing could meet somebody would believe that it helps */
export function entryOf(
  revocation: Revocation,
  authenticators: Authenticators,
  now: number,
  keepForMs: number,
): RevocationEntry {
  if (typeof revocation !== "object" || (revocation as unknown) === null)
    throw new TypeError("what is revoked is no object");
  const given: Readonly<Record<string, unknown>> = revocation;
  const stranger = Object.keys(given).find((name) => !MEMBERS.has(name));
  if (stranger !== undefined) throw new TypeError(`unknown member \`${stranger}\` of what is revoked`);
  const [kind, ...others] = KINDS.filter((name) => given[name] !== undefined);
  if (kind === undefined || others.length > 0)
    throw new TypeError("one of `jti`, `sid` and `id` says what is revoked");
  if (kind !== "id" && given["before"] !== undefined)
    throw new TypeError("`before` belongs to an `id`: a token or session is revoked whole");
  const authenticator = textOf(given["authenticator"], "authenticator");
  const value = textOf(given[kind], kind);
  requireMet(kind, authenticator, authenticators);
  const until = instantOf(given["until"], "until") ?? now + keepForMs;
  if (until <= now) throw new TypeError("`until` lies in the past");
  return {
    authenticator,
    kind,
    value,
    before: kind === "id" ? (instantOf(given["before"], "before") ?? now) : 0,
    until,
  };
}

function requireMet(kind: RevocationEntry["kind"], name: string, authenticators: Authenticators): void {
  const known = Object.hasOwn(authenticators, name) ? authenticators[name] : undefined;
  if (known === undefined) {
    const names = Object.keys(authenticators);
    const help = didYouMean(name, names) ?? `there are ${names.join(", ")}`;
    throw new TypeError(`what is revoked is of no authenticator of the policy; ${help}`);
  }
  if (kind === "id" || TOKEN_TYPES.has(known.type)) return;
  throw new TypeError(`\`${kind}\` is a token's: of the authenticator \`${name}\` an \`id\` is revoked`);
}

function textOf(value: unknown, name: string): string {
  if (typeof value === "string" && value !== "" && value.length <= MAX_TEXT) return value;
  throw new TypeError(`\`${name}\` of what is revoked is no text of 1 to ${MAX_TEXT} characters`);
}

function instantOf(value: unknown, name: string): number | undefined {
  if (value === undefined) return undefined;
  if (value instanceof Date && Number.isFinite(value.getTime())) return value.getTime();
  throw new TypeError(`\`${name}\` of what is revoked is no valid Date`);
}

export function bytesOf({ authenticator, kind, value, before, until }: RevocationEntry): Uint8Array {
  return utf8(JSON.stringify([1, authenticator, kind, value, before, until]));
}

/** Undefined for what is no entry, or one of a later version. */
export function entryIn(bytes: unknown): RevocationEntry | undefined {
  const text = bytes instanceof Uint8Array ? strictText(bytes) : undefined;
  const parts = text === undefined ? undefined : listIn(text);
  if (parts?.length !== 6) return undefined;
  const [version, authenticator, written, value, before, until] = parts;
  const kind = KINDS.find((name) => name === written);
  if (version !== 1 || kind === undefined) return undefined;
  if (typeof authenticator !== "string" || typeof value !== "string") return undefined;
  if (typeof before !== "number" || typeof until !== "number") return undefined;
  return { authenticator, kind, value, before, until };
}

function listIn(text: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
