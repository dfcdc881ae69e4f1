/** Secrets of a policy under test: never the real ones, so that a test needs none and can leak none. */
import { createHash } from "node:crypto";
import type { PolicyDocument, SecretSource } from "../index.js";

/** 128 hex digits: long enough for every algorithm, and the same in every run, so that what is hashed under it is too. */
export function throwawaySecret(reference: string): string {
  return createHash("sha512").update(`gatehouse testing: ${reference}`).digest("hex");
}

/** @param written values that a test wants to have, by reference */
export function secretSource(written: Readonly<Record<string, string>>): SecretSource {
  return { get: (reference) => secretText(written, reference) };
}

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
