/** Cross-checks of jwt authenticators: what could only misfire, or let the wrong ones in, while serving. */
import { didYouMean } from "../../errors/did-you-mean.js";
import type { Report } from "../../errors/diagnostics.js";
import { isJwsAlgorithm, JWS_ALGORITHMS } from "../../lib/jws.js";
import { pointerTo } from "../../lib/pointer.js";
import type { JwtSettings, PrincipalMap } from "../../model/policy.js";
import type { ResolvedAuthenticator, ResolvedPolicy } from "../../model/resolved.js";
import { UNCHECKED } from "./claims.js";
import { checkRemoteKeys } from "./check-remote.js";
import { usableKeys } from "./jwks.js";
import { stepsOf } from "./principal-map.js";
import { textsOf } from "./texts.js";

export function checkJwt({ pointer }: ResolvedAuthenticator, settings: JwtSettings, report: Report): void {
  checkAlgorithms(settings, pointer, report);
  checkAudience(settings, pointer, report);
  checkInlineKeys(settings, pointer, report);
  checkRemoteKeys(settings, pointer, report);
  if (settings.profile === undefined || settings.typ === undefined) return;
  const help = "leave one of the two out";
  report.error(
    "setting-without-effect",
    pointerTo(pointer, "typ"),
    "the `profile` says what `typ` must be",
    help,
  );
}

/** A public key that could serve as the secret of an HMAC would let everybody sign (RFC 8725 section 2.1). */
function checkAlgorithms({ algorithms, keys }: JwtSettings, pointer: string, report: Report): void {
  const known = algorithms.filter(isJwsAlgorithm);
  const symmetric = known.filter((algorithm) => JWS_ALGORITHMS[algorithm].scheme === "hmac");
  if (symmetric.length > 0 && symmetric.length < known.length) {
    const help = "make two authenticators of it, each with its own keys";
    report.error(
      "mixed-algorithms",
      pointerTo(pointer, "algorithms"),
      "symmetric and asymmetric algorithms are mixed",
      help,
    );
    return;
  }
  if (symmetric.length > 0 && !("secret" in keys)) {
    const help = 'HS* takes a shared secret: `{ "secret": "env:NAME" }`';
    report.error(
      "symmetric-with-public-key",
      pointerTo(pointer, "keys"),
      `\`${symmetric.join("`, `")}\` with public keys`,
      help,
    );
  }
  if (symmetric.length === 0 && "secret" in keys) {
    const help = 'a public key is `{ "pem": { "secret": "file:PATH" } }` or `{ "jwks": … }`';
    report.error(
      "asymmetric-with-secret",
      pointerTo(pointer, "keys"),
      `\`${known.join("`, `")}\` with a shared secret`,
      help,
    );
  }
}

/** In a list the word would be one more value that a token could carry. */
function checkAudience({ audience }: JwtSettings, pointer: string, report: Report): void {
  if (typeof audience === "string" || "claim" in audience || !audience.includes(UNCHECKED)) return;
  const help = '`"audience": "unchecked"` alone switches the check off';
  report.error("unchecked-in-list", pointerTo(pointer, "audience"), "`unchecked` stands beside values", help);
}

function checkInlineKeys({ keys, algorithms }: JwtSettings, base: string, report: Report): void {
  const pointer = pointerTo(base, "keys");
  if ("pem" in keys && typeof keys.pem === "string" && /PRIVATE KEY/u.test(keys.pem)) {
    const help = "put the public key here, and revoke this one: it was in a policy";
    report.error("literal-secret", pointerTo(pointer, "pem"), "a private key stands in the policy", help);
  }
  if (!("jwks" in keys) || typeof keys.jwks === "string") return;
  const set = pointerTo(pointer, "jwks", "keys");
  const before = report.diagnostics.length;
  const usable = usableKeys(keys.jwks.keys, algorithms, (index) => pointerTo(set, index), report);
  if (usable.length === 0 && !report.diagnostics.slice(before).some(({ severity }) => severity === "error")) {
    const help = "with no key every token is refused";
    report.error("no-usable-key", set, "no key of the set fits the `algorithms`", help);
  }
}

/** `principal` of any authenticator: paths that can be followed, constants of the shape that the field must have, declared roles. */
export function checkPrincipalMap(
  map: PrincipalMap,
  base: string,
  policy: ResolvedPolicy,
  report: Report,
): void {
  for (const [field, source] of Object.entries(map)) {
    const pointer = pointerTo(base, "principal", field);
    if (typeof source === "string") checkPath(source, pointer, report);
    else checkConstant(field, source.value, pointer, policy, report);
  }
}

function checkPath(path: string, pointer: string, report: Report): void {
  if (stepsOf(path) !== undefined) return;
  const help = "`a.b` follows members by name; `/a/b` is a JSON Pointer, for names with dots";
  report.error("invalid-path", pointer, `\`${path}\` is no path into the claims`, help);
}

function checkConstant(
  field: string,
  value: unknown,
  pointer: string,
  policy: ResolvedPolicy,
  report: Report,
): void {
  if (field === "id" && (typeof value !== "string" || value === "")) {
    report.error("invalid-constant", pointer, "a principal's `id` is a non-empty string");
  }
  if (field !== "roles" && field !== "scopes") return;
  const names = textsOf(value);
  if (names === undefined)
    report.error("invalid-constant", pointer, `a principal's \`${field}\` are a list of strings`);
  else if (field === "roles") checkRoles(names.all, pointer, policy, report);
}

export function checkRoles(
  roles: readonly string[],
  pointer: string,
  policy: ResolvedPolicy,
  report: Report,
): void {
  for (const [index, role] of roles.entries()) {
    if (policy.roles.has(role)) continue;
    report.error(
      "unknown-role",
      pointerTo(pointer, index),
      `role \`${role}\` is not declared in \`roles\``,
      didYouMean(role, policy.roles.keys()),
    );
  }
}
