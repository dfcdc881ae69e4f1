/** Tokens under keys that are fetched. As long as the keys at hand do, nothing is waited for. */
import type { Fault } from "../../model/outcome.js";
import type { RequestState } from "../../model/state.js";
import type { CompactToken } from "./compact-token.js";
import type { Credential, Judge } from "./credential.js";
import { MISSING_KEY } from "./jose-header.js";
import type { Judgement } from "./judgement.js";
import { judgeRecent, judgeToken, NOT_MINE, type JwtParts } from "./jwt.js";
import type { KeyRefresher } from "./remote-keys.js";

export interface RemoteJwtParts extends JwtParts {
  readonly keys: KeyRefresher;
  /** Name of the authenticator. */
  readonly name: string;
  /** Milliseconds on a clock that never goes back. */
  readonly monotonic: () => number;
}

export function remoteJwtJudge(parts: RemoteJwtParts): Judge {
  const { keys, claims } = parts;
  return (credential, state) => {
    const now = state.monotonicUs / 1000;
    const at = keys.at(now);
    const recent = at && judgeRecent(parts, at.header, credential, state);
    if (recent !== undefined) {
      if (keys.isStale(now)) reportStale(parts, state);
      return recent;
    }
    const { token } = credential;
    if (token.kind === "bad") return token;
    if (at !== undefined) {
      const judgement = judgeToken(parts, at.header, credential, token, state);
      if (judgement !== MISSING_KEY) {
        if (keys.isStale(now)) reportStale(parts, state);
        return judgement;
      }
    }
    // Not believed, but a token that is none of ours is worth no fetch, and must not wait for keys that it does not need.
    if (!claims.admitsIssuer(token.payload()?.["iss"])) return NOT_MINE;
    if (at === undefined) return withFirst(parts, credential, token, state);
    const newer = keys.newer(now);
    return newer === undefined ? missing(parts, now) : withNewer(parts, newer, credential, token, state);
  };
}

function reportStale({ name, keys }: RemoteJwtParts, state: RequestState): void {
  state.report(`the keys of \`${name}\` should have been refreshed: ${keys.problem ?? "they were not"}`);
}

/** There are no keys, or none that may be used still: that is nothing that the caller did. */
function withFirst(
  parts: RemoteJwtParts,
  credential: Credential,
  token: CompactToken,
  state: RequestState,
): Judgement | Promise<Judgement> {
  const filled = parts.keys.filled(parts.monotonic());
  if (filled === undefined) return unavailable(parts, parts.monotonic());
  return filled.then(() => {
    const now = parts.monotonic();
    const at = parts.keys.at(now);
    if (at === undefined) return unavailable(parts, now);
    return judgeToken(parts, at.header, credential, token, state);
  });
}

/** Twice at most: what was under way already may have begun before the issuer had the key. */
async function withNewer(
  parts: RemoteJwtParts,
  first: Promise<void>,
  credential: Credential,
  token: CompactToken,
  state: RequestState,
): Promise<Judgement> {
  let newer: Promise<void> | undefined = first;
  for (let round = 0; round < 2 && newer !== undefined; round += 1) {
    await newer;
    const now = parts.monotonic();
    const at = parts.keys.at(now);
    if (at === undefined) return unavailable(parts, now);
    const judgement = await judgeToken(parts, at.header, credential, token, state);
    if (judgement !== MISSING_KEY) return judgement;
    newer = parts.keys.newer(now);
  }
  return missing(parts, parts.monotonic());
}

/** Where the last fetch failed nobody can tell whether the issuer has such a key: the caller may be right. */
function missing(parts: RemoteJwtParts, now: number): Judgement {
  return parts.keys.problem === undefined ? MISSING_KEY : unavailable(parts, now);
}

function unavailable({ keys, name, pointer }: RemoteJwtParts, now: number): Fault {
  const reason = `there are no keys of \`${name}\` that could tell: ${keys.problem ?? "they are too old"}`;
  return {
    kind: "fault",
    where: "outside",
    reason,
    rule: pointer,
    retryAfter: Math.max(1, Math.ceil(keys.pauseAt(now) / 1000)),
  };
}
