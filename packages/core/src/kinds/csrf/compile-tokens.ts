/** Keys of csrf tokens, one rule for each setting that asks for them. */
import { parseDuration } from "../../lib/duration.js";
import { pointerTo } from "../../lib/pointer.js";
import type { CompileEnvironment } from "../../model/kind.js";
import type { CsrfTokens } from "../../model/policy.js";
import type { ResolvedPolicy } from "../../model/resolved.js";
import { sharedSecret } from "../../model/shared-secret.js";
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
  for (const [index, reference] of keys.entries()) {
    const pointer = pointerTo(base, "keys", index);
    const key = await sharedSecret(reference, pointer, { leastBytes: MIN_BYTES }, environment);
    if (key === undefined) continue;
    found.push(key.current);
    replaced.push(...key.former);
  }
  return [...found, ...replaced];
}
