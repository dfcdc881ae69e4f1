/** Resolves the references of a policy (`env:NAME`, `file:PATH`). */
export interface SecretSource {
  /**
   * The secret's text or bytes; undefined when there is none. An unresolved or empty secret fails the load.
   * @param reference as written in the policy, e.g. `env:SIGNING_KEY`
   * @param baseFile path of the policy file when it is known: `file:` is relative to it
   */
  get(
    reference: string,
    baseFile?: string,
  ): string | Uint8Array | undefined | Promise<string | Uint8Array | undefined>;
}
