/**
 * Files of a policy that hold no secret: sets of public keys. They are read once a load, watched, and put in force together with the
 * policy's secrets, so a key that its issuer replaces needs no restart.
 */
import type { Platform } from "../ports/platform.js";
import type { SecretSource } from "../ports/secrets.js";

/** As events name them. No reference of a secret has a blank before its colon, so none is mistaken for a file. */
const FILE = "jwks ";

export function fileReference(path: string): string {
  return `${FILE}${path}`;
}

/** Undefined: the reference is that of a secret. */
export function filePath(reference: string): string | undefined {
  return reference.startsWith(FILE) ? reference.slice(FILE.length) : undefined;
}

type Files = Pick<Platform, "readFile" | "watchFiles">;

/** @returns undefined where there are neither secrets nor files */
export function sourceWithFiles(secrets: SecretSource | undefined, files: Files): SecretSource | undefined {
  const { readFile, watchFiles } = files;
  if (readFile === undefined) return secrets;
  return {
    get(reference, baseFile): ReturnType<SecretSource["get"]> {
      const path = filePath(reference);
      return path === undefined ? secrets?.get(reference, baseFile) : readFile(path, baseFile);
    },
    watch(references, changed, baseFile): () => void {
      const paths = references.flatMap((reference) => filePath(reference) ?? []);
      const others = references.filter((reference) => filePath(reference) === undefined);
      const unwatchSecrets = others.length > 0 ? secrets?.watch?.(others, changed, baseFile) : undefined;
      const unwatchFiles = watchFiles?.(paths, changed, baseFile);
      return () => {
        unwatchFiles?.();
        unwatchSecrets?.();
      };
    },
    // Public keys may be read by anybody.
    concern: (reference, baseFile) =>
      filePath(reference) === undefined ? secrets?.concern?.(reference, baseFile) : undefined,
  };
}
