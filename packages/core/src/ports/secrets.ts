/** Where the references of a policy (`env:NAME`, `file:PATH`) lead. */
import type { Secret } from "../lib/secret.js";

export type SecretValue = string | Uint8Array | Secret;

export interface SecretSource {
  /**
   * The secret; undefined when there is none. An unresolved or empty secret fails the load. What it throws is not told, for it might
   * quote the secret; a `SecretError` is.
   * Asked for 10 seconds at most.
   * @param reference as written in the policy, e.g. `env:SIGNING_KEY`
   * @param baseFile path of the policy file when it is known: `file:` is relative to it
   */
  get(reference: string, baseFile?: string): SecretValue | undefined | Promise<SecretValue | undefined>;
  /**
   * Tells whenever one of these may lead to another value now. All are read again then; saying it too often costs a little, and never
   * a swap. Without it a secret changes with the next `replace`, or when the process starts again.
   * @returns ends it
   */
  watch?(references: readonly string[], changed: () => void, baseFile?: string): () => void;
  /** What is amiss with the place of a secret that can be used all the same, such as a file that others can read. Told to `onSecrets`. */
  concern?(reference: string, baseFile?: string): string | undefined | Promise<string | undefined>;
}

/** Why a source has no secret. Its message is told to operators, so it must hold none. */
export class SecretError extends Error {
  override readonly name = "SecretError";
}
