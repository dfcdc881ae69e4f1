/** Secrets of a policy under test: never the real ones, so that a test needs none and can leak none. */
import { createHash } from "node:crypto";
import type { PolicyDocument } from "../index.js";

/** 128 hex digits: long enough for every algorithm, and the same in every run, so that what is hashed under it is too. */
export function throwawaySecret(reference: string): string {
  return createHash("sha512").update(`gatehouse testing: ${reference}`).digest("hex");
}

/** @param written values that a test wants to have, by reference */
export function secretText(written: Readonly<Record<string, string>>, reference: string): string {
  return (Object.hasOwn(written, reference) ? written[reference] : undefined) ?? throwawaySecret(reference);
}

/** One user whose password nobody has, not even the kit: a hash of nothing. A policy that authenticates by passwords is served all the same. */
const NOBODY = JSON.stringify([
  { id: "nobody", scrypt: `$scrypt$ln=14,r=8,p=1$${"A".repeat(22)}$${"A".repeat(43)}` },
]);

/** Lists of users by the references that authenticators of type `basic` have; what a test writes goes before them. */
export function usersOf({ authenticators = {} }: PolicyDocument): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.values(authenticators).flatMap((one) =>
      one.type === "basic" ? [[one.users.secret, NOBODY] as const] : [],
    ),
  );
}

/**
 * A list of users with those of the kit, each in place of one of the same name.
 * @param text what no list is stays as it is: that is for the engine to tell
 * @param records as JSON, by name
 */
export function withUsers(text: string, records: ReadonlyMap<string, string>): string {
  const listed = listIn(text);
  if (listed === undefined) return text;
  const others = listed.filter((one) => !records.has(nameIn(one)));
  return `[${[...others.map((one) => JSON.stringify(one)), ...records.values()].join(",")}]`;
}

function listIn(text: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function nameIn(record: unknown): string {
  const id: unknown = typeof record === "object" && record !== null && "id" in record ? record.id : undefined;
  return typeof id === "string" ? id.normalize("NFC") : "";
}
