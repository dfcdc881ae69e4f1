/** Whose word is believed: mistakes here make every address, and with it every limit, the caller's own choice. */
import type { Report } from "../../errors/diagnostics.js";
import { didYouMean } from "../../errors/did-you-mean.js";
import { isRangeProblem, NAMED_RANGES, parseRange } from "../../lib/ip-range.js";
import { pointerTo } from "../../lib/pointer.js";
import type { TrustSettings } from "../../model/policy.js";
import { familyOf } from "../../normalize/trust.js";

const AT = "/transport/trust";

export function checkTrust(trust: TrustSettings, report: Report): void {
  for (const [index, peer] of trust.peers.entries()) checkPeer(peer, pointerTo(AT, "peers", index), report);
  if (trust.header === undefined) checkHeaderless(trust, report);
  else checkFamily(trust, trust.header.toLowerCase(), report);
}

function checkPeer(peer: string, pointer: string, report: Report): void {
  if (NAMED_RANGES.has(peer)) return;
  const range = parseRange(peer);
  if (isRangeProblem(range)) {
    report.error(
      "invalid-address-range",
      pointer,
      `\`${peer}\` ${range.problem}`,
      range.suggestion === undefined
        ? (didYouMean(peer, NAMED_RANGES.keys()) ??
            "write a CIDR as in `10.0.0.0/8`, or `loopback`, `private` or `linklocal`")
        : `did you mean \`${range.suggestion}\`?`,
    );
  } else if (range.prefix === 0) {
    report.error(
      "trust-everyone",
      pointer,
      `\`${peer}\` trusts every caller to name its own address`,
      "list the addresses of the proxies in front of this server",
    );
  }
}

/**
 * Without a header no address is believed; `peers` alone may stand beside `ipv6Prefix`, which counts for direct callers too, and
 * `clientCert`, which is a header of its own.
 */
function checkHeaderless(trust: TrustSettings, report: Report): void {
  const alone = trust.ipv6Prefix !== undefined || trust.clientCert !== undefined;
  if (alone && trust.scheme === undefined && trust.host !== true) return;
  report.error(
    "trust-without-header",
    AT,
    "`trust` names no header, so nothing that a proxy says is read",
    'write the one header that the proxies set, as in `"header": "x-forwarded-for"`',
  );
}

function checkFamily(trust: TrustSettings, header: string, report: Report): void {
  const family = familyOf(header);
  if (trust.scheme !== undefined && family !== "single") {
    report.error(
      "trust-two-families",
      `${AT}/scheme`,
      `\`${header}\` brings the scheme itself, and only one header family is believed`,
      "leave `scheme` out",
    );
  }
  if (trust.host === true && family === "single") {
    report.error(
      "trust-two-families",
      `${AT}/host`,
      `\`${header}\` says nothing about the host`,
      "leave `host` out, or use `x-forwarded-for` or `forwarded`",
    );
  }
}
