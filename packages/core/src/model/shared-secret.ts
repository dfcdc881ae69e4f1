/** Secrets under which something is signed or hashed, or that show who somebody is: one way to take them, for every setting that does. */
import type { CompileEnvironment } from "./kind.js";
import type { SecretReference } from "./policy.js";

export interface SecretTerms {
  readonly leastBytes: number;
  /** True: another side made it, so that nobody can choose a better one here alone. */
  readonly foreign?: boolean;
  /** What its text stands for. Default: its own bytes. */
  readonly encoding?: SecretEncoding | undefined;
}

export interface SecretEncoding {
  readonly name: string;
  /** Undefined: the text is none of this encoding. */
  readonly decode: (bytes: Uint8Array) => Uint8Array | undefined;
}

export interface SharedSecret {
  readonly current: Uint8Array;
  /** What it was before and may still verify, newest first. */
  readonly former: readonly Uint8Array[];
}

export const MAKE_SECRET = "make one of random bytes, such as by `openssl rand -hex 64`";
const COPY_SECRET = "copy it again from where it was given out, as it stands there";

/** Undefined: what is wrong was reported. */
export async function sharedSecret(
  { secret: reference }: SecretReference,
  pointer: string,
  terms: SecretTerms,
  environment: CompileEnvironment,
): Promise<SharedSecret | undefined> {
  const { platform, report } = environment;
  const bytes = await environment.secret(reference, pointer);
  if (bytes === undefined) return undefined;
  const current = judged(bytes, terms, platform);
  if (typeof current === "string") {
    const help = terms.foreign === true ? COPY_SECRET : MAKE_SECRET;
    report.error("invalid-key", pointer, `\`${reference}\` holds ${current}`, help);
    return undefined;
  }
  // Where the terms have changed, one that was good before may be good no more; it is on its way out anyhow.
  const former = (await environment.formerSecrets?.(reference)) ?? [];
  const good = former.map((one) => judged(one, terms, platform)).filter((one) => typeof one !== "string");
  return { current, former: good };
}

/** @returns a text: what it holds in place of a secret */
function judged(
  bytes: Uint8Array,
  { leastBytes, encoding }: SecretTerms,
  { secretProblem }: CompileEnvironment["platform"],
): Uint8Array | string {
  const decoded = encoding === undefined ? bytes : encoding.decode(bytes);
  if (decoded === undefined) return `no ${encoding?.name ?? "text"}`;
  return secretProblem(decoded, leastBytes) ?? decoded;
}
