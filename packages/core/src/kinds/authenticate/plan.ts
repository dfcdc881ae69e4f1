/** What the stage of one route needs, worked out when the policy is compiled: carriers, readers, refusals. */
import type { Refusal } from "../../model/outcome.js";
import type { HeaderField } from "../../model/request.js";
import type { Carrier, ResolvedAuthenticator, ResolvedRoute } from "../../model/resolved.js";
import type { RequestState } from "../../model/state.js";
import { afterScheme, carrierKey, carrierReader } from "./carrier.js";
import { challengeFields } from "./challenge.js";
import { Credential, type CredentialTools, type Judge } from "./credential.js";
import { ABSENT, bad, type Bad, type ChallengeError, type Judgement } from "./judgement.js";

const OTHER_SCHEME: Bad = bad("`Authorization` has a scheme that no authenticator of the route reads");

type Judged = Judgement | Promise<Judgement>;

export interface CarrierPlan {
  /** Alike for all authenticators that read the same text. */
  readonly place: string;
  /** Its name in traces. */
  readonly fact: string;
  /** Undefined: nothing is presented there. */
  readonly judge: (state: RequestState) => Judged | undefined;
  /** What the refusal of a credential from here owes. */
  readonly challenge: (state: RequestState, refused: Bad) => readonly HeaderField[];
}

export interface RoutePlan {
  readonly pointer: string;
  readonly optional: boolean;
  readonly carriers: readonly CarrierPlan[];
  /** In the author's order: names of authenticators that must pass together. */
  readonly alternatives: readonly (readonly string[])[];
  readonly challenge: readonly HeaderField[];
  readonly unauthenticated: Refusal;
  readonly incomplete: Refusal;
  readonly conflicting: Refusal;
}

export interface PlanParts {
  readonly judges: ReadonlyMap<string, Judge>;
  readonly tools: CredentialTools;
  readonly realm: string;
}

export function planRoute(route: ResolvedRoute, parts: PlanParts): RoutePlan {
  const { pointer, mode, anyOf } = route.authenticate;
  const authenticators = authenticatorsOf(route);
  const challenge = challengeFields(authenticators, parts.realm);
  const refusal = (code: Refusal["code"], reason: string): Refusal =>
    Object.freeze({
      kind: "refusal",
      code,
      reason,
      rule: pointer,
      ...(code === "unauthenticated" && { headers: challenge }),
    });
  return Object.freeze({
    pointer,
    optional: mode === "optional",
    carriers: carriersOf(anyOf, authenticators, parts),
    alternatives: anyOf.map((together) => together.map(({ name }) => name)),
    challenge,
    unauthenticated: refusal("unauthenticated", "no credential is presented"),
    incomplete: refusal(
      "unauthenticated",
      "a credential that must stand beside the presented one is missing",
    ),
    conflicting: refusal("conflicting-credentials", "good credentials of different principals are presented"),
  });
}

/** Each once, in the author's order. */
export function authenticatorsOf(route: ResolvedRoute): readonly ResolvedAuthenticator[] {
  return [...new Set(route.authenticate.anyOf.flat())];
}

/**
 * One plan a carrier, whose readers are asked in order until one accepts. Where credentials must stand together each
 * authenticator is asked for itself, for it may be wanted beside another one although a third would do alone.
 */
function carriersOf(
  anyOf: ResolvedRoute["authenticate"]["anyOf"],
  authenticators: readonly ResolvedAuthenticator[],
  parts: PlanParts,
): readonly CarrierPlan[] {
  const apart = anyOf.some((together) => together.length > 1);
  const places = new Map<string, readonly ResolvedAuthenticator[]>();
  for (const one of authenticators) {
    const place = apart ? one.name : carrierKey(one.carrier);
    places.set(place, [...(places.get(place) ?? []), one]);
  }
  return [...places.values()].flatMap((readers) => {
    const [first] = readers;
    return first === undefined ? [] : [planCarrier(first.carrier, readers, authenticators, parts)];
  });
}

/** Those readers that share a scheme; undefined: the whole value is the credential. */
interface SchemeGroup {
  readonly scheme: string | undefined;
  readonly judges: readonly Judge[];
  readonly challenge: (error: ChallengeError | undefined) => readonly HeaderField[];
}

function planCarrier(
  carrier: Carrier,
  readers: readonly ResolvedAuthenticator[],
  authenticators: readonly ResolvedAuthenticator[],
  parts: PlanParts,
): CarrierPlan {
  const read = carrierReader(carrier);
  const groups = groupsOf(readers, authenticators, parts);
  const sole = carrier.in === "header" && groups.length === 1 ? groups[0] : undefined;
  const challenge = challengeFields(authenticators, parts.realm);
  return Object.freeze({
    place: carrierKey(carrier),
    fact: factOf(carrier),
    judge(state: RequestState): Judged | undefined {
      const value = read(state);
      if (typeof value !== "string") return value;
      for (const { scheme, judges } of groups) {
        const from = credentialFrom(value, scheme);
        if (from >= 0) return judgeAny(judges, new Credential(value, from, parts.tools), state);
      }
      return OTHER_SCHEME;
    },
    challenge(state: RequestState, refused: Bad): readonly HeaderField[] {
      const { error } = refused;
      // A field has no fault of its own: what refused it read the one scheme that is read here, or found another.
      if (sole !== undefined) return refused === OTHER_SCHEME ? challenge : sole.challenge(error);
      const value = read(state);
      if (typeof value !== "string") return challenge;
      const group = groups.find(({ scheme }) => credentialFrom(value, scheme) >= 0);
      return group?.challenge(error) ?? challenge;
    },
  });
}

function groupsOf(
  readers: readonly ResolvedAuthenticator[],
  authenticators: readonly ResolvedAuthenticator[],
  parts: PlanParts,
): readonly SchemeGroup[] {
  const schemes = new Set(readers.map(({ carrier }) => carrier.scheme));
  return Array.from(schemes, (scheme) => ({
    scheme,
    judges: readers
      .filter(({ carrier }) => carrier.scheme === scheme)
      .flatMap(({ name }) => parts.judges.get(name) ?? []),
    challenge: challengesOf(scheme, authenticators, parts.realm),
  }));
}

/** Each made once: a refusal costs no more than handing it over. */
function challengesOf(
  scheme: string | undefined,
  authenticators: readonly ResolvedAuthenticator[],
  realm: string,
): SchemeGroup["challenge"] {
  const fields = (error?: ChallengeError): readonly HeaderField[] =>
    challengeFields(authenticators, realm, { scheme, error });
  const plain = fields();
  const proof = fields("invalid_dpop_proof");
  const nonce = fields("use_dpop_nonce");
  return (error) => (error === undefined ? plain : error === "use_dpop_nonce" ? nonce : proof);
}

function credentialFrom(value: string, scheme: string | undefined): number {
  return scheme === undefined ? 0 : afterScheme(value, scheme);
}

function factOf(carrier: Carrier): string {
  switch (carrier.in) {
    case "header":
      return `headers.${carrier.name}`;
    case "cookie":
      return `cookies.${carrier.name}`;
    case "query":
      return `query.${carrier.name}`;
    case "tls":
      return "request.tls";
  }
}

/** A reader that cannot decide ends the asking: the next one might open. */
function isFinal({ kind }: Judgement): boolean {
  return kind === "accepted" || kind === "pending" || kind === "fault" || kind === "refusal";
}

/** The first that accepts, or the first thing that is wrong. */
function judgeAny(judges: readonly Judge[], credential: Credential, state: RequestState): Judged {
  let refused: Judgement = ABSENT;
  let index = -1;
  for (const judge of judges) {
    index += 1;
    const judgement = judge(credential, state);
    if (judgement instanceof Promise) return judgeRest(judgement, judges, index, refused, credential, state);
    if (isFinal(judgement)) return judgement;
    if (refused.kind === "absent") refused = judgement;
  }
  return refused;
}

async function judgeRest(
  first: Promise<Judgement>,
  judges: readonly Judge[],
  from: number,
  before: Judgement,
  credential: Credential,
  state: RequestState,
): Promise<Judgement> {
  let refused = before;
  let judgement = await first;
  for (let index = from + 1; ; index += 1) {
    if (isFinal(judgement)) return judgement;
    if (refused.kind === "absent") refused = judgement;
    const judge = judges[index];
    if (judge === undefined) return refused;
    judgement = await judge(credential, state);
  }
}
