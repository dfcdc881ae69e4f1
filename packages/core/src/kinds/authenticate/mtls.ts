/** Client certificates: who their holders are, by exact comparison. Whether anybody vouches for one was asked before it came here. */
import type { CertificateMatch } from "../../model/policy.js";
import type { ClientCertificate } from "../../model/request.js";
import type { RequestState } from "../../model/state.js";
import { frozenCopy } from "./strict-json.js";
import { textsFrom } from "./texts.js";
import type { IdentityMaker } from "./identity.js";
import { ABSENT, bad, type Accepted, type Bad, type Judgement } from "./judgement.js";

const STRANGER = bad("no entry of `match` fits the client certificate");
const AMBIGUOUS = bad("several entries of `match` fit the client certificate");
const OUT_OF_TIME = bad("the client certificate is not valid now");

interface Entry {
  readonly match: CertificateMatch;
  readonly accepted: Accepted;
}

export function certificateJudge(
  matches: readonly CertificateMatch[],
  identify: IdentityMaker,
): (state: RequestState) => Judgement {
  const entries = matches.map((match) => ({ match, accepted: acceptedBy(match, identify) }));
  const find = entryFinder(entries);
  // A connection has one certificate, which many requests share.
  const known = new WeakMap<ClientCertificate, Accepted | Bad>();
  return (state) => {
    const certificate = state.request.tls?.clientCertificate;
    if (certificate === undefined) return ABSENT;
    if (!isCurrent(certificate, state.now)) return OUT_OF_TIME;
    const before = known.get(certificate);
    if (before !== undefined) return before;
    const judged = find(certificate);
    known.set(certificate, judged);
    return judged;
  };
}

/** Verified when the connection began, which may be long ago. */
export function isCurrent({ validFrom, validTo }: ClientCertificate, now: number): boolean {
  return now >= validFrom && now <= validTo;
}

/** Entries by what is rarest in them, so that a long list costs no more than a short one. */
function entryFinder(entries: readonly Entry[]): (certificate: ClientCertificate) => Accepted | Bad {
  const byKey = new Map<string, Entry[]>();
  for (const entry of entries) {
    const { fingerprint, san, subject } = entry.match;
    const key = fingerprint ?? san ?? `subject ${subject ?? ""}`;
    byKey.set(key, [...(byKey.get(key) ?? []), entry]);
  }
  return (certificate) => {
    const { fingerprint256, subjectAltNames, subject } = certificate;
    const keys = new Set([fingerprint256, ...subjectAltNames, `subject ${subject}`]);
    const fitting = [...keys]
      .flatMap((key) => byKey.get(key) ?? [])
      .filter(({ match }) => fits(match, certificate));
    const [first, second] = fitting;
    if (first === undefined) return STRANGER;
    // Which of two people somebody is must not hang on the order of a list.
    return second === undefined ? first.accepted : AMBIGUOUS;
  };
}

function fits({ san, subject, fingerprint }: CertificateMatch, certificate: ClientCertificate): boolean {
  return (
    (fingerprint === undefined || fingerprint === certificate.fingerprint256) &&
    (san === undefined || certificate.subjectAltNames.includes(san)) &&
    (subject === undefined || subject === certificate.subject)
  );
}

function acceptedBy(
  { id, roles = [], scopes = [], attributes = {} }: CertificateMatch,
  identify: IdentityMaker,
): Accepted {
  const copy = frozenCopy(attributes) ?? {};
  return identify({
    kind: "grant",
    id,
    roles: textsFrom(roles),
    scopes: textsFrom(scopes),
    claims: copy,
    attributes: copy,
  });
}
