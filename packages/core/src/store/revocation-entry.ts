/** Entries of the list as bytes, and what an application may ask to revoke. */
import { strictText, utf8 } from "../lib/bytes.js";
import type { Revocation } from "../ports/revocations.js";
import type { RevocationEntry } from "./revocation-list.js";

const MAX_TEXT = 1024;
const MEMBERS = new Set(["authenticator", "jti", "sid", "id", "before", "until"]);
const KINDS = ["jti", "sid", "id"] as const;

/** @throws TypeError naming what is wrong with it, never a value */
export function entryOf(revocation: Revocation, now: number, keepForMs: number): RevocationEntry {
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
  const until = instantOf(given["until"], "until") ?? now + keepForMs;
  if (until <= now) throw new TypeError("`until` lies in the past");
  return {
    authenticator: textOf(given["authenticator"], "authenticator"),
    kind,
    value: textOf(given[kind], kind),
    before: kind === "id" ? (instantOf(given["before"], "before") ?? now) : 0,
    until,
  };
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
