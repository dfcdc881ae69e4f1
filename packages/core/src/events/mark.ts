/** Values that are told as a keyed hash: the same value is recognized, and nobody without the key can test a guess. */
import { encodeBase64Url } from "../lib/base64url.js";
import { canonicalJson } from "../lib/canonical-json.js";
import { Secret } from "../lib/secret.js";
import { MAKE_SECRET } from "../model/shared-secret.js";
import type { EventOptions } from "../ports/decision-sink.js";
import type { Platform } from "../ports/platform.js";

type Marker = (value: unknown) => string;

const SHORTEST_KEY = 16;

/** What the names of facts begin with. */
const ROOTS: ReadonlySet<string> = new Set([
  "principal",
  "client",
  "request",
  "params",
  "query",
  "headers",
  "cookies",
  "body",
]);
/** Every event tells these of a caller, as they are. */
const TOLD: ReadonlySet<string> = new Set(["principal.roles", "principal.scopes", "principal.authenticator"]);

/**
 * @returns what a fact is told as, by its name; undefined: as it is
 * @throws TypeError where something is to be hashed without a key, or with one that could be guessed, or would be told all the same
 */
export function markerOf(
  { hash = [], key, paths = false }: EventOptions,
  { hmacSha256, secretProblem }: Pick<Platform, "hmacSha256" | "secretProblem">,
): (fact: string) => Marker | undefined {
  for (const name of hash) checkName(name, paths);
  const names = new Set(hash);
  if (key === undefined) {
    if (names.size > 0) throw new TypeError("`hash` of `events` needs a `key`");
    return () => undefined;
  }
  if (names.size === 0) throw new TypeError("`key` of `events` is for `hash`, which names nothing");
  const secret = Secret.of(key);
  const problem = secretProblem(secret.reveal(), SHORTEST_KEY);
  if (problem !== undefined) throw new TypeError(`\`key\` of \`events\` holds ${problem}: ${MAKE_SECRET}`);
  const mark: Marker = (value) =>
    `hmac:${encodeBase64Url(hmacSha256(secret.reveal(), canonicalJson(value)).subarray(0, 16))}`;
  return (fact) => (names.has(fact) ? mark : undefined);
}

function checkName(name: string, paths: boolean): void {
  const [root = "", ...rest] = name.split(".");
  if (!ROOTS.has(root) || rest.length === 0)
    throw new TypeError(
      `\`hash\` of \`events\` names no fact with \`${name}\`: write it as \`principal.id\` or \`params.email\``,
    );
  if (TOLD.has(name)) throw new TypeError(`\`hash\` of \`events\`: every event tells \`${name}\` as it is`);
  if (paths && (root === "params" || name === "request.path"))
    throw new TypeError(`\`hash\` of \`events\`: \`paths\` would tell \`${name}\` as it is`);
}
