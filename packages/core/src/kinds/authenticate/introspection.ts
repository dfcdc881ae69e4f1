/**
 * Opaque tokens (RFC 7662): their issuer is asked what they are worth. What it said is remembered for a while under a
 * hash of the token, never longer than the token is good; many requests with one token ask once. Time and sender are
 * asked on every use.
 */
import { chained } from "../../lib/chained.js";
import { parseDuration } from "../../lib/duration.js";
import type { Fault } from "../../model/outcome.js";
import type { IntrospectionSettings } from "../../model/policy.js";
import type { RequestState } from "../../model/state.js";
import type { OutwardCall } from "../../ports/outward.js";
import type { Breaker } from "./breaker.js";
import type { ProveClient } from "./client-auth.js";
import { MAX_CREDENTIAL, TOO_LONG, type Credential, type Judge } from "./credential.js";
import type { Introspected, JudgeAnswer } from "./introspection-answer.js";
import type { IntrospectionMemory } from "./introspection-memory.js";
import { bad, type Judgement } from "./judgement.js";
import { fetchDocument } from "./remote-json.js";
import type { Sender } from "./sender.js";

const MALFORMED = bad("the token is empty, or holds what no token holds");
const EXPIRED = bad("the token has expired");
const EARLY = bad("the token is not valid yet");

/** Calls under way at most: an endpoint that hangs must not hold every socket and request of ours. */
const MAX_CALLS = 256;

const DEFAULTS = { cache: "1m", cacheInactive: "10s" } as const;

export interface IntrospectionParts {
  readonly settings: IntrospectionSettings;
  readonly pointer: string;
  readonly name: string;
  readonly call: OutwardCall;
  readonly prove: ProveClient;
  readonly judge: JudgeAnswer;
  /** What the caller must show besides the token; undefined: nothing. */
  readonly sender: Sender | undefined;
  readonly memory: IntrospectionMemory;
  /** Milliseconds on a clock that never goes back. */
  readonly monotonic: () => number;
}

export function introspectionJudge(parts: IntrospectionParts): Judge {
  const { settings, sender } = parts;
  const cacheMs = parseDuration(settings.cache ?? DEFAULTS.cache) ?? 0;
  const inactiveMs = parseDuration(settings.cacheInactive ?? DEFAULTS.cacheInactive) ?? 0;
  const { known, breaker, guard } = parts.memory;
  const flights = new Map<string, Promise<Introspected | Fault>>();
  const ask = async (credential: Credential): Promise<Introspected | Fault> => {
    const said = await introspect(parts, breaker, credential.text);
    if (said.kind === "fault") return said;
    const span = said.outcome.kind === "accepted" ? cacheMs : inactiveMs;
    if (span > 0) known.set(credential.digest, { said, until: parts.monotonic() + span });
    return said;
  };
  const learn = (credential: Credential): Introspected | Promise<Introspected | Fault> | Fault => {
    let flight = flights.get(credential.digest);
    if (flight === undefined) {
      if (flights.size >= MAX_CALLS) return unavailable(parts, "too many tokens are being asked about", 1000);
      const pause = breaker.pause(parts.monotonic());
      if (pause > 0) return unavailable(parts, "it has failed several times in a row", pause);
      flight = ask(credential).finally(() => flights.delete(credential.digest));
      flights.set(credential.digest, flight);
    }
    return flight;
  };
  return (credential, state) => {
    if (credential.text.length > MAX_CREDENTIAL) return TOO_LONG;
    if (!/^[\x21-\x7E]+$/u.test(credential.text)) return MALFORMED;
    const remembered = known.get(credential.digest);
    if (remembered !== undefined && state.monotonicUs / 1000 < remembered.until)
      return proved(current(remembered.said, state), remembered.said, credential, state);
    // Nobody is asked about a token that could not be let in whatever they said.
    const missing = sender?.missing(state);
    if (missing !== undefined) return missing;
    let said: Introspected | undefined;
    const judged = guard.run(state, () =>
      chained(learn(credential), (one) => {
        if (one.kind === "fault") return one;
        said = one;
        return current(one, state);
      }),
    );
    // Outside of the guard: whoever must fetch a nonce first, or holds the wrong key, guesses no tokens.
    return chained(judged, (judgement) => proved(judgement, said, credential, state));
  };

  function proved(
    judged: Judgement,
    said: Introspected | undefined,
    credential: Credential,
    state: RequestState,
  ): Judgement | Promise<Judgement> {
    if (sender === undefined || judged.kind !== "accepted") return judged;
    return sender.prove(judged, said?.binding ?? "", credential, state);
  }
}

function current({ outcome, notBefore, notAfter }: Introspected, { now }: RequestState): Judgement {
  if (outcome.kind === "bad") return outcome;
  if (now >= notAfter) return EXPIRED;
  return now < notBefore ? EARLY : outcome;
}

async function introspect(
  parts: IntrospectionParts,
  breaker: Breaker,
  token: string,
): Promise<Introspected | Fault> {
  try {
    const { headers, parameters } = await parts.prove();
    const body = new URLSearchParams({ token, ...parameters }).toString();
    const document = await fetchDocument(parts.call, {
      url: parts.settings.url,
      method: "POST",
      headers: {
        Accept: "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
        ...headers,
      },
      body,
    });
    if (document.kind === "failure") {
      breaker.failed(document.reached, parts.monotonic());
      return unavailable(parts, document.reason, breaker.waitAt(parts.monotonic()));
    }
    breaker.worked();
    return parts.judge(document.value);
  } catch (error) {
    return {
      kind: "fault",
      where: "code",
      reason: "asking about the token failed",
      rule: parts.pointer,
      error,
    };
  }
}

function unavailable({ name, pointer }: IntrospectionParts, problem: string, pauseMs: number): Fault {
  const reason = `\`${name}\` could not ask about the token: ${problem}`;
  return {
    kind: "fault",
    where: "outside",
    reason,
    rule: pointer,
    retryAfter: Math.max(1, Math.ceil(pauseMs / 1000)),
  };
}
