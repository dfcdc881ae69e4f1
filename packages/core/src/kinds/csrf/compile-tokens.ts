/** Keys of csrf tokens, one rule for each setting that asks for them. */
import { isBlank } from "../../lib/bytes.js";
import { parseDuration } from "../../lib/duration.js";
import { pointerTo } from "../../lib/pointer.js";
import { isPublicKey } from "../../lib/published-keys.js";
import type { CompileEnvironment } from "../../model/kind.js";
import type { CsrfTokens } from "../../model/policy.js";
import type { ResolvedPolicy } from "../../model/resolved.js";
import type { TokenRule } from "./token.js";

const MIN_BYTES = 32;
const TWELVE_HOURS = 43_200_000;

/** By the pointer of the setting. */
export async function compileTokens(
  policy: ResolvedPolicy,
  environment: CompileEnvironment,
): Promise<ReadonlyMap<string, TokenRule>> {
  const rules = new Map<string, TokenRule>();
  for (const { csrf } of policy.routes) {
    if (csrf === undefined || csrf.value === "off" || csrf.value.tokens === undefined) continue;
    if (rules.has(csrf.pointer)) continue;
    const { tokens } = csrf.value;
    rules.set(csrf.pointer, {
      keys: await keysOf(tokens, pointerTo(csrf.pointer, "tokens"), environment),
      cookie: tokens.cookie ?? "__Host-csrf",
      header: (tokens.header ?? "X-CSRF-Token").toLowerCase(),
      maxAgeMs: (tokens.maxAge === undefined ? undefined : parseDuration(tokens.maxAge)) ?? TWELVE_HOURS,
      platform: environment.platform,
    });
  }
  return rules;
}

async function keysOf(
  { keys }: CsrfTokens,
  base: string,
  environment: CompileEnvironment,
): Promise<readonly Uint8Array[]> {
  const found: Uint8Array[] = [];
  const replaced: Uint8Array[] = [];
  for (const [index, { secret }] of keys.entries()) {
    const pointer = pointerTo(base, "keys", index);
    const bytes = await environment.secret(secret, pointer);
    if (bytes === undefined) continue;
    const problem = problemOf(bytes);
    if (problem === undefined) found.push(Uint8Array.from(bytes));
    else
      environment.report.error("invalid-key", pointer, `\`${secret}\` holds no key for tokens: ${problem}`);
    for (const former of (await environment.formerSecrets?.(secret)) ?? [])
      if (problemOf(former) === undefined) replaced.push(former);
  }
  return [...found, ...replaced];
}

function problemOf(key: Uint8Array): string | undefined {
  if (isBlank(key) || key.length < MIN_BYTES) return `an HMAC needs at least ${MIN_BYTES} bytes`;
  return isPublicKey(key) ? "a public key is known to everybody" : undefined;
}
