/** Runs a case against a real server: bytes out, bytes in, and the same expectation as on the pure core. */
import type { Admission, DecisionEvent, EngineOptions, PolicyDocument } from "../index.js";
import type { Case, CaseAnswer, CaseFile, CaseRequest } from "./case.js";
import {
  clientCertificates,
  throwawayCertificate,
  type Certificate,
  type ClientCertificates,
} from "./certificate.js";
import { virtualClock } from "./clock.js";
import { differences, type Observed } from "./compare.js";
import { optionsFor } from "./core.js";
import { prepareCase, prepareRequest, stepsOf, type PreparedCase } from "./prepare.js";
import { exchangeOverHttp2, whyNotOverHttp2 } from "./sockets-http2.js";
import { beginOverSocket, exchangeOverSocket, type WireAnswer } from "./sockets-wire.js";

/**
 * What a server, or what an adapter makes of it, cannot show. `objects`: the handler's values reach it as text, and what applies
 * only to JSON that the engine writes (`encode` without a body rule) does not apply. `hosts`, `expectations`: the server itself
 * answers where Host is no host name, or where `Expect` asks for something else than 100.
 */
export type Lack =
  | "target"
  | "duplicates"
  | "peer"
  | "tls"
  | "client-certificates"
  | "upgrade"
  | "http1.0"
  | "objects"
  | "hosts"
  | "expectations";

export interface TargetStart {
  readonly policy: PolicyDocument;
  /** Handed to `createEngine` as they are: the runner's clock, its secrets and its ear. */
  readonly engineOptions: EngineOptions;
  /** Called by the handler, once per admitted request: what it is to answer. */
  readonly answer: (admission: Admission) => CaseAnswer;
  /** For `tlsPort`; undefined when no step needs it. With what the server is to ask its clients for, where one of them has a certificate. */
  readonly tls: (Certificate & Partial<ClientCertificates>) | undefined;
}

export interface RunningTarget {
  readonly port: number;
  readonly tlsPort?: number;
  close(): Promise<void>;
}

/** A server as an adapter's own test supplies it, on loopback and free ports. */
export interface SocketTarget {
  readonly name: string;
  readonly lacks: readonly Lack[];
  /** What the server is spoken to in; default `1.1`. With `2` it is HTTP/2, over TLS by ALPN and without TLS at once (RFC 9113 section 3.3). */
  readonly httpVersion?: "1.1" | "2";
  start(options: TargetStart): Promise<RunningTarget>;
}

/** Why a case is not for this server; undefined when it is. */
export function whyNotOverSockets(file: CaseFile, one: Case, target: SocketTarget): string | undefined {
  if (one.coreOnly !== undefined) return one.coreOnly;
  const policy = JSON.stringify(file.policies[one.policy]);
  const asksForCertificates = policy.includes('"mtls"') && !policy.includes('"clientCert"');
  const encodes = policy.includes('"encode":true');
  for (const { request, answer = {}, expect, meanwhile } of stepsOf(one)) {
    if (meanwhile !== undefined && target.httpVersion === "2")
      return "one connection of HTTP/1.1 is one exchange";
    const wordless = target.httpVersion === "2" ? whyNotOverHttp2(request, expect) : undefined;
    if (wordless !== undefined) return wordless;
    if (request.ip !== undefined && !request.ip.startsWith("127."))
      return "only addresses in 127.0.0.0/8 can be had";
    // Asked only of what this server lacks: to know the fields, tokens are minted.
    const needs: Readonly<Record<Lack, () => boolean>> = {
      target: () => !isPlain(request.target),
      duplicates: () => hasDuplicates(prepareRequest(request, 0).headers),
      peer: () => request.ip !== undefined && request.ip !== "127.0.0.1",
      tls: () => request.https === true,
      "client-certificates": () => asksForCertificates || request.clientCertificate !== undefined,
      upgrade: () => request.upgrade === true,
      "http1.0": () => request.httpVersion === "1.0",
      objects: () => encodes && "json" in answer,
      hosts: () => fieldsOf(request, "host").some((value) => !isHost(value)),
      expectations: () => fieldsOf(request, "expect").some((value) => value.toLowerCase() !== "100-continue"),
    };
    const lack = target.lacks.find((name) => needs[name]());
    if (lack !== undefined) return `${target.name} lacks: ${lack}`;
  }
  return undefined;
}

/** What differs from the case's expectation, in words; empty when it holds. */
export async function runOverSockets(file: CaseFile, one: Case, target: SocketTarget): Promise<string[]> {
  const prepared = prepareCase(file, one);
  const clock = virtualClock(prepared.at);
  const ear = new Ear<DecisionEvent>();
  const reads = new Ear<void>();
  let answer: CaseAnswer = {};
  let admission: Admission | undefined;
  const server = await target.start({
    // A case may hold a wrong document on purpose: the engine's own checks are what refuses it.
    policy: prepared.policy as PolicyDocument,
    engineOptions: {
      ...optionsFor(prepared, clock),
      // Each exchange begins by asking for the time.
      clock: { ...clock, now: () => (reads.hear(), clock.now()) },
      onDecision: (event) => ear.hear(event),
    },
    answer: (given) => {
      admission = given;
      return answer;
    },
    tls: tlsFor(prepared),
  });
  const found: string[] = [];
  try {
    for (const [index, { step, wait }] of prepared.steps.entries()) {
      clock.advance(wait);
      prepared.loop.delay = step.delay ?? prepared.loop.delay;
      const leaving: (() => Promise<void>)[] = [];
      for (const other of step.meanwhile ?? []) {
        const begun = reads.next();
        const leave = await beginOverSocket(server.port, prepareRequest(other, clock.now()));
        await begun;
        leaving.push(async () => {
          const ended = ear.next();
          leave();
          await ended;
        });
      }
      answer = step.answer ?? {};
      admission = undefined;
      const request = prepareRequest(step.request, clock.now());
      const port = request.https ? server.tlsPort : server.port;
      if (port === undefined) throw new Error(`${target.name} has no TLS port, and does not lack \`tls\``);
      const event = ear.next();
      const response = await (target.httpVersion === "2"
        ? exchangeOverHttp2(port, request)
        : exchangeOverSocket(port, request));
      const seen = observed(response, response === undefined ? undefined : await event, admission);
      const place = prepared.steps.length > 1 ? `step ${index + 1}: ` : "";
      const wrong = seen === undefined ? ["no whole answer came"] : differences(step.expect, seen);
      found.push(...wrong.map((difference) => place + difference));
      for (const leave of leaving) await leave();
    }
  } finally {
    await server.close();
  }
  return found;
}

/** The engine's own word on each exchange, which may come a little after the answer's last byte. */
class Ear<T> {
  private waiting: ((event: T | undefined) => void) | undefined = undefined;

  hear(event: T): void {
    this.waiting?.(event);
    this.waiting = undefined;
  }

  next(): Promise<T | undefined> {
    return new Promise((resolve) => {
      // An answer of the server's own has no event, and is told by that.
      const timer = setTimeout(() => resolve(undefined), 5000);
      this.waiting = (event) => {
        clearTimeout(timer);
        resolve(event);
      };
    });
  }
}

function observed(
  response: WireAnswer | undefined,
  event: DecisionEvent | undefined,
  admission: Admission | undefined,
): Observed | undefined {
  if (response === undefined) return undefined;
  return {
    outcome: event?.outcome ?? "no decision",
    ...(event?.outcome === "refuse"
      ? { stage: event.stage, code: event.concealed === true ? "not-found" : event.code }
      : {}),
    status: response.status,
    headers: response.headers,
    text: response.body.toString("utf8"),
    admission,
    observed: (event?.observed ?? []).map(({ code }) => code),
    event,
  };
}

function tlsFor({ steps }: PreparedCase): TargetStart["tls"] {
  const requests = steps.map(({ step }) => step.request);
  if (!requests.some(({ https }) => https === true)) return undefined;
  const asks = requests.some(({ clientCertificate }) => clientCertificate !== undefined);
  return { ...throwawayCertificate(), ...(asks ? clientCertificates() : {}) };
}

/** A name or an address, and perhaps a port: what a URL can be made of. */
function isHost(value: string): boolean {
  return /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?$/i.test(value) && URL.canParse(`http://${value}/`);
}

function fieldsOf({ headers = [] }: CaseRequest, name: string): string[] {
  return headers.flatMap(([field, value]) =>
    field.toLowerCase() === name && typeof value === "string" ? [value] : [],
  );
}

function hasDuplicates(headers: readonly (readonly [string, string])[]): boolean {
  return new Set(headers.map(([name]) => name.toLowerCase())).size < headers.length;
}

/** True for a target that a URL parser gives back as it was. */
function isPlain(target: string): boolean {
  if (!target.startsWith("/") || target.startsWith("//")) return false;
  const { pathname, search, hash } = new URL(target, "http://a.test");
  return hash === "" && pathname + search === target;
}
