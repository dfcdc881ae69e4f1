/** Cross-checks of `senderConstrained`: bindings that the carrier would undo. */
import type { Report } from "../../errors/diagnostics.js";
import { pointerTo } from "../../lib/pointer.js";
import type { ResolvedAuthenticator } from "../../model/resolved.js";
import { checkDuration } from "./check-duration.js";
import { dpopSettings, type TokenSettings } from "./compile-sender.js";

export function checkSender(
  { pointer, carrier }: ResolvedAuthenticator,
  settings: TokenSettings,
  report: Report,
): void {
  const dpop = dpopSettings(settings);
  if (dpop === undefined) return;
  const place = pointerTo(pointer, "senderConstrained");
  checkDuration(dpop.window, "1s", "1h", pointerTo(place, "window"), report);
  checkDuration(dpop.nonceLife, "10s", "1d", pointerTo(place, "nonceLife"), report);
  if (dpop.nonceLife !== undefined && dpop.nonce === undefined) {
    const message = "`nonceLife` says how long nonces live, and none is asked for";
    report.error(
      "nonce-life-without-nonce",
      pointerTo(place, "nonceLife"),
      message,
      "write `nonce`, or leave it out",
    );
  }
  if (carrier.scheme === "dpop") return;
  // Under another scheme a client library sends no proof, and a challenge would not tell it to.
  report.error(
    "dpop-elsewhere",
    place,
    "a token that needs a DPoP proof travels in `Authorization: DPoP` alone",
    "let it come in the header, and leave `name` and `scheme` out",
  );
}
