/** What callers prove beside their credentials, or in their place: keys, certificates, and messages that are signed. */
import type { ResolvedAuthenticator } from "@gatehouse/core/analysis";
import type { TestPerson } from "@gatehouse/core/testing";
import { seconds } from "../../lib/seconds.js";
import type { Base, Ground, RouteGround } from "../ground.js";
import { bindingTo, byteSequence, type ShownCertificate, type Shows } from "../proofs/certificates.js";
import { dpopFaults, NONCE_FAULTS } from "../proofs/dpop-faults.js";
import { altered, messageFaults } from "../proofs/message-faults.js";
import { dpopOf } from "../proofs/prover.js";
import { without } from "../carried.js";
import { withHeaders, type Asker, type Question } from "../question.js";

interface Target {
  readonly one: RouteGround;
  readonly authenticator: ResolvedAuthenticator;
  readonly base: Base;
  readonly by: Asker;
  /** Whether no route before it is for the same authenticator. */
  readonly first: boolean;
}

export function* proofs(ground: Ground): Iterable<Question> {
  for (const target of targetsOf(ground)) {
    const { one, base, by, authenticator } = target;
    const { settings } = authenticator;
    // What it would be but for the fault: without it no refusal says anything.
    if (proves(authenticator))
      yield { area: "proofs", about: by.name, route: one.route.key, by, request: base.request };
    if (dpopOf(authenticator) !== undefined) yield* possession(target);
    else if (settings.type === "mtls") yield* certificates(target, ground);
    else if ("senderConstrained" in settings && settings.senderConstrained === "mtls")
      yield* boundTokens(target, ground);
    else if (settings.type === "http-signature") yield* messages(target);
    else if (settings.type === "signature") yield* webhooks(target);
  }
}

function proves(authenticator: ResolvedAuthenticator): boolean {
  const { settings, late } = authenticator;
  return (
    ("senderConstrained" in settings && settings.senderConstrained !== undefined) ||
    late ||
    settings.type === "mtls"
  );
}

/** What is read changes nothing: such routes first. */
function* targetsOf({ routes }: Ground): Iterable<Target> {
  const seen = new Set<string>();
  const inOrder = routes.toSorted((a, b) => Number(isUnsafe(a)) - Number(isUnsafe(b)));
  for (const one of inOrder) {
    for (const authenticator of new Set(one.route.authenticate.anyOf.flat())) {
      const base = one.bases.find(
        ({ by }) => by?.person.authenticator === authenticator.name && by.holder === undefined,
      );
      if (base?.by === undefined) continue;
      yield { one, authenticator, base, by: base.by, first: !seen.has(authenticator.name) };
      seen.add(authenticator.name);
    }
  }
}

function isUnsafe({ route }: RouteGround): boolean {
  return !route.methods.includes("GET");
}

type Fault = Pick<Question, "about"> & Partial<Omit<Question, "area" | "route">>;

/** The credential is good, and nothing may come of it; unless the same is sent as it should be before that. */
function asking({ one, base, by }: Target): (fault: Fault) => Question {
  return (fault) => ({
    area: "proofs",
    route: one.route.key,
    request: base.request,
    by: { ...by, name: fault.about, genuine: fault.twice === true },
    ...fault,
  });
}

function withClaims(by: Asker, about: string, claims: Readonly<Record<string, unknown>>): Asker {
  const person: TestPerson = { ...by.person, claims: { ...by.person.claims, ...claims } };
  return { ...by, name: about, genuine: false, person };
}

function* possession(target: Target): Iterable<Question> {
  const { authenticator, by, first } = target;
  const ask = asking(target);
  const { settings } = authenticator;
  const constrained = "senderConstrained" in settings ? settings.senderConstrained : undefined;
  const window = typeof constrained === "object" ? constrained.window : undefined;
  for (const { grave, ...fault } of dpopFaults(seconds(window ?? "60s")))
    if (first || grave === true) yield ask(fault);
  const elsewhere = { jkt: Buffer.alloc(32, 7).toString("base64url") };
  for (const [about, cnf] of [
    ["a token that is bound to no key", null],
    ["a token that is bound to another key", elsewhere],
  ] as const)
    yield ask({ about, by: withClaims(by, about, { cnf }) });
  if (dpopOf(authenticator)?.nonces !== true) return;
  for (const fault of NONCE_FAULTS) yield ask(fault);
}

/** Headers in which proxies pass certificates on: what a caller writes there by itself must count for nothing. */
const PASSED_ON = ["Client-Cert", "X-SSL-Client-Cert", "X-Forwarded-Client-Cert"];

function smuggledIn({ policy, certificates: { parts } }: Ground): readonly string[] {
  // Whom the policy believes smuggles nothing.
  if (parts.field !== undefined) return [];
  const own = policy.document.transport?.trust?.clientCert;
  const known = PASSED_ON.map((name) => name.toLowerCase());
  return own === undefined || known.includes(own.toLowerCase()) ? PASSED_ON : [own, ...PASSED_ON];
}

function passedOn(name: string, certificate: ShownCertificate): string {
  if (name === "X-SSL-Client-Cert") return encodeURIComponent(certificate.cert);
  const plain = certificate.cert.replaceAll(/\s/gu, "%20");
  return name === "X-Forwarded-Client-Cert" ? `Cert="${plain}"` : byteSequence(certificate);
}

function* certificates(target: Target, ground: Ground): Iterable<Question> {
  const { own, stranger } = ground.certificates.parts;
  const ask = asking(target);
  const { request } = target.base;
  yield ask({ about: "no certificate", by: undefined, certificate: "none" });
  if (stranger !== undefined)
    yield ask({
      about: "a certificate of the same names, which nobody vouches for",
      by: undefined,
      certificate: "stranger",
    });
  const smuggled = own ?? stranger;
  for (const name of smuggled === undefined ? [] : smuggledIn(ground))
    yield ask({
      about: `a certificate in \`${name}\`, from no proxy`,
      by: undefined,
      certificate: "none",
      request: withHeaders(request, { [name]: passedOn(name, smuggled as ShownCertificate) }),
    });
}

function* boundTokens(target: Target, ground: Ground): Iterable<Question> {
  const { own, stranger } = ground.certificates.parts;
  const ask = asking(target);
  const { by, base } = target;
  const token = (
    about: string,
    to: ShownCertificate | undefined,
    certificate: Shows,
    request = base.request,
  ): Question => {
    const cnf = to === undefined ? null : bindingTo(to);
    return ask({ about, by: withClaims(by, about, { cnf }), certificate, request });
  };
  const holder = own ?? stranger;
  if (holder === undefined || stranger === undefined) return;
  yield token("a bound token without a certificate", holder, "none");
  yield token("a token that is bound to a certificate that nobody vouches for", stranger, "stranger");
  if (own !== undefined) {
    yield token("a token that is bound to another certificate", stranger, "own");
    yield token("a token that is bound to no certificate", undefined, "own");
    yield token("a bound token with another certificate of the same names", own, "stranger");
  }
  for (const name of smuggledIn(ground))
    yield token(
      `a bound token, and its certificate in \`${name}\`, from no proxy`,
      holder,
      "none",
      withHeaders(base.request, { [name]: passedOn(name, holder) }),
    );
}

function* messages(target: Target): Iterable<Question> {
  const { settings } = target.authenticator;
  if (settings.type !== "http-signature") return;
  const { request } = target.base;
  const { maxAge = "5m", tolerance = "30s", replay = "refuse", tag, components } = settings;
  const rules = {
    maxAge: seconds(maxAge),
    tolerance: seconds(tolerance),
    replay,
    tag,
    content: "body" in request || request.text !== undefined,
    derived: components === undefined ? ["@method", "@target-uri"] : ["@method"],
  };
  for (const fault of messageFaults(rules)) yield asking(target)(fault);
}

function* webhooks(target: Target): Iterable<Question> {
  const { carrier, settings } = target.authenticator;
  if (settings.type !== "signature") return;
  const { by } = target;
  const ask = asking(target);
  const spoilt = (about: string, change: Partial<TestPerson>): Question =>
    ask({ about, by: { ...by, name: about, genuine: false, person: { ...by.person, ...change } } });
  yield ask({
    about: "a webhook that is not signed",
    spoil: { request: (request) => without(request, carrier.name) },
  });
  yield spoilt("a webhook under another secret", { forged: true });
  yield spoilt("a webhook of long ago", { expires: `-${seconds(settings.tolerance ?? "5m") + 600}s` });
  yield ask({ about: "a webhook that was altered after it was signed", spoil: { request: altered } });
  yield ask({ about: "a webhook for the second time", twice: true });
}
