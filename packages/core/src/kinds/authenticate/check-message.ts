/** Cross-checks of message signatures: keys that fit their algorithm, and components that a request can have. */
import { didYouMean } from "../../errors/did-you-mean.js";
import type { Report } from "../../errors/diagnostics.js";
import { holdsSecret, jwkFits } from "../../lib/jws.js";
import { jwsAlgorithmFor } from "../../lib/message-algorithms.js";
import { pointerTo } from "../../lib/pointer.js";
import type { MessageKey, MessageSignatureSettings } from "../../model/policy.js";
import type { ResolvedPolicy } from "../../model/resolved.js";
import { attributeProblems } from "./api-key-records.js";
import { checkDuration } from "./check-duration.js";
import { parseComponent } from "./message-component.js";

export function checkMessage(
  settings: MessageSignatureSettings,
  pointer: string,
  policy: ResolvedPolicy,
  report: Report,
): void {
  const ids = new Set<string>();
  for (const [index, key] of settings.keys.entries()) {
    const place = pointerTo(pointer, "keys", index);
    if (ids.has(key.keyid)) {
      report.error(
        "duplicate-kid",
        place,
        `key ${index + 1} has the \`keyid\` of another`,
        "a `keyid` names one key",
      );
    }
    ids.add(key.keyid);
    checkKey(key, place, report);
    for (const { problem, help } of attributeProblems(key.attributes))
      report.error("invalid-constant", pointerTo(place, "attributes"), problem, help);
    for (const [at, role] of (key.roles ?? []).entries()) {
      if (policy.roles.has(role)) continue;
      report.error(
        "unknown-role",
        pointerTo(place, "roles", at),
        `role \`${role}\` is not declared in \`roles\``,
        didYouMean(role, policy.roles.keys()),
      );
    }
  }
  checkDuration(settings.tolerance, "0s", "1d", pointerTo(pointer, "tolerance"), report);
  checkDuration(settings.maxAge, "1s", "366d", pointerTo(pointer, "maxAge"), report);
  for (const [index, text] of (settings.components ?? []).entries()) {
    if (parseComponent(text) !== undefined) continue;
    report.error(
      "invalid-component",
      pointerTo(pointer, "components", index),
      `\`${text}\` is no component that a request has and that is supported`,
      'write a field in lower case, or `@method`, `@target-uri`, `@authority`, `@scheme`, `@request-target`, `@path`, `@query`, `@query-param;name="x"`',
    );
  }
}

function checkKey({ key, algorithm, secretEncoding }: MessageKey, base: string, report: Report): void {
  const pointer = pointerTo(base, "key");
  const shared = algorithm === "hmac-sha256";
  if (!shared && secretEncoding !== undefined) {
    report.error(
      "useless-key",
      pointerTo(base, "secretEncoding"),
      "`secretEncoding` means nothing beside a public key",
      "leave it out",
    );
  }
  if (shared && !("secret" in key)) {
    report.error(
      "symmetric-with-public-key",
      pointer,
      "`hmac-sha256` with a public key",
      'it takes a shared secret: `{ "secret": "env:NAME" }`',
    );
  } else if (!shared && "secret" in key) {
    report.error(
      "asymmetric-with-secret",
      pointer,
      `\`${algorithm}\` with a shared secret`,
      'a public key is `{ "jwk": … }` or `{ "pem": … }`',
    );
  } else if ("jwk" in key) {
    if (holdsSecret(key.jwk))
      report.error(
        "literal-secret",
        pointer,
        "the key is private or symmetric",
        "put the public key here, and revoke this one: it was in a policy",
      );
    else if (!jwkFits(jwsAlgorithmFor(algorithm, key.jwk), key.jwk))
      report.error("invalid-key", pointer, `the key's type, curve or intended use does not fit ${algorithm}`);
  } else if ("pem" in key && typeof key.pem === "string" && /PRIVATE KEY/u.test(key.pem)) {
    report.error(
      "literal-secret",
      pointerTo(pointer, "pem"),
      "a private key stands in the policy",
      "put the public key here, and revoke this one: it was in a policy",
    );
  }
}
