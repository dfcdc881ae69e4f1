/** A running server, held against its policy: each question is put to the engine and to the server, and the answers are compared. */
import { setTimeout as sleep } from "node:timers/promises";
import type { PolicyDocument } from "@gatehouse/core";
import { analyse, type ResolvedPolicy, type ResolvedRoute } from "@gatehouse/core/analysis";
import type { PolicyResult, SentRequest, TestPerson, TestRequest } from "@gatehouse/core/testing";
import { UsageError } from "../cli/io.js";
import { choiceHelp } from "../lib/near.js";
import { version } from "../lib/version.js";
import { valuesOf, type Answer } from "./answer.js";
import type { Sendable } from "./carried.js";
import {
  certificatesFor,
  fieldsOver,
  holdersOf,
  keysFor,
  publicKeysOf,
  reached,
  refuseHopeless,
  refuseStrangers,
  requireOwn,
} from "./begin.js";
import { questionsFor } from "./areas/index.js";
import { AREAS, DEFAULTS, type Area } from "./choices.js";
import { Client, GoneError, type Identity, type Reply, type WireRequest } from "./client.js";
import { compare, describe, describeReply } from "./compare.js";
import { Delivery, SPENT } from "./delivery.js";
import type { Difference, ProbeReport } from "./finding.js";
import { floodLimits } from "./floods.js";
import { completer, groundFor, type Ground } from "./ground.js";
import { inquire, showsOf } from "./inquiry.js";
import { isImpossible, Judge } from "./judge.js";
import { Keyring, type Holder } from "./keyring.js";
import { Ledger } from "./ledger.js";
import { Pace } from "./pace.js";
import { isLoopback, placeOf } from "./place.js";
import { asksForCertificate, readOwn } from "./proofs/certificates.js";
import { missingNonce, NO_ID, withNonceError } from "./proofs/nonces.js";
import { readSigners } from "./proofs/signers.js";
import { addressOf, proxyFor, type Proxy } from "./proxy.js";
import { withHeaders, type Asker, type Question, type RawQuestion } from "./question.js";
import { handlerAnswer, shapeDifferences } from "./shaped.js";
import { shownRequest } from "./shown.js";
import type { Jwk } from "./tokens.js";

export interface ProbeOptions {
  /** Hosts beyond this machine that may be asked, as the URL names them. */
  readonly allowHosts?: readonly string[] | undefined;
  /** What `Host` says. Default: the URL's host. */
  readonly host?: string | undefined;
  /** Fields of every request, by name. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Certificates to trust, as PEM. */
  readonly ca?: string | undefined;
  /** The address that the server sees. Default: this end of the connection. */
  readonly ip?: string | undefined;
  /** A client's certificate and its private key, in PEM. */
  readonly certificate?: Identity | undefined;
  /**
   * By authenticator: private keys that sign tokens, or messages (then also by `authenticator:keyid`), as PEM or JSON Web Key, and shared
   * secrets of webhooks and messages.
   */
  readonly keys?: Readonly<Record<string, string>> | undefined;
  /** Public keys by authenticator, as JSON Web Keys: for forgeries. Default: those that stand in the policy. */
  readonly publicKeys?: Readonly<Record<string, Jwk>> | undefined;
  /** People by name, with credentials that the server takes. */
  readonly people?: Readonly<Record<string, Holder>> | undefined;
  /** Values of path parameters. */
  readonly params?: Readonly<Record<string, string>> | undefined;
  /** What is asked about. Default: everything. */
  readonly only?: readonly Area[] | undefined;
  /** Keys of the routes that are asked about. Default: all. */
  readonly routes?: readonly string[] | undefined;
  /** Whether to send what may change data. Default false. */
  readonly unsafe?: boolean | undefined;
  /** Whether to send as many requests as limits take. Default false. */
  readonly floods?: boolean | undefined;
  /** Requests a second. Default 20. */
  readonly rate?: number | undefined;
  /** Default 2000. */
  readonly maxRequests?: number | undefined;
  /** Milliseconds to wait in all for limits. Default 90 seconds. */
  readonly wait?: number | undefined;
  /** Milliseconds for one exchange. Default 10 seconds. */
  readonly deadline?: number | undefined;
  readonly onProgress?: ((asked: number, found: number) => void) | undefined;
}

/**
 * @param url scheme, host and port of a server
 * @throws UsageError (rejects) for a host that may not be asked, one that does not answer, and what does not fit the policy
 * @throws PolicyError (rejects) for a policy that cannot be served
 */
export async function probe(
  url: string,
  policy: PolicyDocument,
  options: ProbeOptions = {},
): Promise<ProbeReport> {
  const run = await Run.begin(url, policy, options);
  try {
    return await run.all();
  } finally {
    await run.close();
  }
}

const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);
const WAIT_MS = 90_000;
const DEADLINE_MS = 10_000;

interface RunParts {
  readonly url: string;
  readonly options: ProbeOptions;
  readonly policy: ResolvedPolicy;
  readonly ground: Ground;
  readonly client: Client;
  readonly proxy: Proxy | undefined;
}

/** What the server must do, and why. */
interface Expectation {
  readonly by: Asker | undefined;
  readonly request: TestRequest;
  readonly sent: SentRequest;
  readonly expected: readonly PolicyResult[];
}

export class Run {
  readonly ledger = new Ledger();
  readonly pace: Pace;
  readonly ground: Ground;
  readonly #delivery: Delivery;
  readonly #signed = new Set<string>();
  #asked = 0;
  #callers = 0;
  /** The request that was answered last. */
  #last:
    | { readonly question: Pick<Question, "area" | "about" | "route">; readonly wire: WireRequest }
    | undefined;
  /** Seconds by which the server's clock is ahead of ours, by its last answer. */
  #ahead = 0;
  readonly #seen = new Set<string>();
  readonly #ownFields: ReadonlySet<string>;

  private constructor(private readonly parts: RunParts) {
    const { options } = parts;
    this.ground = parts.ground;
    this.pace = new Pace({
      rate: options.rate ?? DEFAULTS.rate,
      maxRequests: options.maxRequests ?? DEFAULTS.maxRequests,
      wait: options.wait ?? WAIT_MS,
    });
    const { client, ground } = parts;
    const { certificates, keyring } = ground;
    this.#delivery = new Delivery({ client, pace: this.pace, certificates, prover: keyring.prover });
    this.#ownFields = new Set(Object.keys(options.headers ?? {}).map((name) => name.toLowerCase()));
  }

  static async begin(url: string, document: PolicyDocument, options: ProbeOptions): Promise<Run> {
    const { policy } = analyse(document);
    const keys = policy.routes.map(({ key }) => key);
    for (const key of options.routes ?? [])
      if (!keys.includes(key))
        throw new UsageError(`the policy has no route \`${key}\``, choiceHelp(key, keys, "routes"));
    const place = await placeOf(url, options.allowHosts ?? [], options.host);
    const handed = Object.keys({ ...options.keys, ...options.people }).length > 0;
    if (handed && !place.https && !place.addresses.every(isLoopback))
      throw new UsageError(
        "credentials would go over the network as they are",
        "ask by an `https:` URL, or without `--key` and `--people`",
      );
    requireOwn(options.headers ?? {});
    const client = new Client(place, { ca: options.ca, deadline: options.deadline ?? DEADLINE_MS });
    const own = options.certificate === undefined ? undefined : readOwn(options.certificate);
    // Whoever says where it comes from must be heard all the same.
    const seen = await reached(client, { url, authority: place.authority }, own);
    const peer = options.ip ?? seen.address;
    const proxy = place.https ? undefined : proxyFor(policy, peer);
    const { address: _address, ...meeting } = seen;
    const certificates = await certificatesFor(policy, own, { peer, https: place.https, ...meeting });
    const fields = fieldsOver(
      {
        "User-Agent": `gatehouse-probe/${version()}`,
        Accept: "*/*",
        Connection: "close",
        ...proxy?.fieldsFor(addressOf(0)),
      },
      options.headers ?? {},
    );
    const signers = readSigners(document, options.keys ?? {});
    const judge = new Judge(signers.document, Date.now, signers.secrets);
    const keyring = new Keyring({
      policy,
      keys: keysFor(policy, options),
      holders: holdersOf(options),
      publicKeys: publicKeysOf(policy, options),
      signers,
      certificate: certificates.own,
      https: place.https || proxy !== undefined,
    });
    const complete = completer(fields, { host: place.authority, https: place.https, ip: peer });
    const parts = {
      document,
      policy,
      keyring,
      judge,
      certificates,
      params: options.params ?? {},
      only: options.routes,
      complete,
    };
    try {
      await refuseHopeless(judge, complete, place.authority);
      await refuseStrangers(parts);
      const ground: Ground = {
        ...parts,
        routes: await groundFor(parts),
        fields,
        authority: place.authority,
        proxied: proxy !== undefined,
      };
      return new Run({ url, options, policy, ground, client, proxy });
    } catch (error) {
      await judge.close();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.ground.judge.close();
  }

  async all(): Promise<ProbeReport> {
    const { options, policy, url } = this.parts;
    for (const { bases, route } of this.ground.routes)
      if (bases.length === 0) this.ledger.untriedSince(this.whyNobody(route), route.key);
    const areas = AREAS.filter((area) => options.only === undefined || options.only.includes(area));
    try {
      await this.askAll(areas);
    } catch (error) {
      if (!(error instanceof GoneError) || this.#last === undefined) throw error;
      const { question, wire } = this.#last;
      const message = "the server is gone: it takes no connections after this request";
      this.tell({ kind: "failed", subject: "gone", message }, question, undefined, wire, { kind: "closed" });
    }
    return {
      url,
      policy: policy.document.name,
      asked: this.#asked,
      requests: this.pace.sent,
      disagreements: this.ledger.disagreements,
      barred: this.ledger.barred,
      notAsked: this.ledger.notAsked,
      untried: this.ledger.untried,
      notes: this.notes(),
    };
  }

  private whyNobody({ authenticate }: ResolvedRoute): string {
    const { certificates } = this.ground;
    const { url } = this.parts;
    const wanting = authenticate.anyOf.flat().find(asksForCertificate);
    return wanting === undefined || certificates.parts.field !== undefined || url.startsWith("https:")
      ? "no request was found that it admits"
      : `\`${wanting.name}\` asks for a client's certificate, which is shown over TLS alone`;
  }

  private async askAll(areas: readonly Area[]): Promise<void> {
    const { options } = this.parts;
    for await (const question of questionsFor(areas, this.ground)) {
      if ("head" in question) await this.askRaw(question);
      else await this.ask(question);
      options.onProgress?.(this.#asked, this.ledger.disagreements.length);
    }
    if (areas.includes("limits")) await floodLimits(this, options.floods === true, options.unsafe === true);
  }

  private notes(): readonly string[] {
    const { proxy, ground } = this.parts;
    return [
      ...(ground.certificates.parts.always === "own"
        ? [
            "the server takes no connection without a client's certificate: what the policy admits without one was asked with that of `--cert`",
          ]
        : []),
      ...(proxy === undefined
        ? []
        : [
            "the policy believes proxies on this machine: requests say what one would of HTTPS, and each comes from another address",
          ]),
      ...(Math.abs(this.#ahead) < CLOCKS_APART
        ? []
        : [
            `the server's clock is ${Math.abs(this.#ahead)} s ${this.#ahead > 0 ? "ahead of" : "behind"} this one: tokens that are good here may not be good there`,
          ]),
    ];
  }

  async ask(question: Question): Promise<void> {
    const expectation = await this.expectationOf(question);
    if (expectation === undefined) return;
    const { by, request, expected } = expectation;
    if (this.isKnown(question, expectation)) return;
    const admits = expected.some(({ outcome }) => outcome === "admit");
    const unsafe = !SAFE.has((request.method ?? "GET").toUpperCase());
    const where = `${question.about}, ${question.route ?? "no route"}`;
    const admitting = expected.find(({ outcome }) => outcome === "admit")?.route ?? undefined;
    const leaveOut = (why: string): void => {
      this.ledger.leaveOut(why, where);
      if (admitting !== undefined) this.ledger.untriedSince(why, admitting);
    };
    if (unsafe && this.parts.options.unsafe !== true && (admits || by?.genuine === true))
      return leaveOut("it might change data: `--unsafe` sends it");
    const lacks = by === undefined ? undefined : this.ground.keyring.lacking(by.person, by.holder);
    if (lacks !== undefined) return leaveOut(lacks);
    let current = expectation;
    const delivered = await this.#delivery.deliver({
      make: async (asked) => {
        const made = await this.unlikeBefore(question, current, asked);
        if (made !== undefined) current = made.expectation;
        return made?.wire;
      },
      shows: showsOf(this.ground, { ...question, by }),
      twice: question.twice === true,
      keepsNonce: question.nonce !== undefined,
      limited: this.hasLimits(expected) ? expected : undefined,
    });
    if ("left" in delivered) return leaveOut(delivered.left ?? REPLAYED);
    const { reply, wire, asked } = delivered;
    if (admitting !== undefined) this.ledger.tried(admitting);
    this.#asked += 1;
    this.#last = { question, wire };
    if (reply.kind === "answer") this.#ahead = secondsAhead(reply.answer);
    if (asked && by !== undefined && !this.ground.keyring.wantsNonce(by.person))
      this.tell(NONCE_ASKED, question, expected[0], wire, reply);
    await this.judge(question, current, wire, reply);
  }

  /**
   * What was signed before, in the same second, is a replay, whatever the question: it is signed anew in the next one.
   * @returns undefined where the signature says no time
   */
  private async unlikeBefore(
    question: Question,
    expectation: Expectation,
    asked: boolean,
  ): Promise<{ readonly wire: Sendable; readonly expectation: Expectation } | undefined> {
    const { keyring } = this.ground;
    const { by } = expectation;
    let current = expectation;
    for (let tries = 0; tries < 2; tries += 1) {
      const wire = keyring.sealed(current.sent, by, "wire", question.spoil, asked);
      const signature = by === undefined ? undefined : keyring.signatureIn(wire, by.person);
      if (signature === undefined || !this.#signed.has(signature)) {
        if (signature !== undefined) this.#signed.add(signature);
        return { wire, expectation: current };
      }
      await sleep(1000 - (Date.now() % 1000));
      current = (await this.expectationOf({ ...question, by })) ?? current;
    }
    return undefined;
  }

  private async judge(
    question: Question,
    expectation: Expectation,
    wire: WireRequest,
    reply: Reply,
  ): Promise<void> {
    const { by, request, expected } = expectation;
    const conceals = this.parts.policy.routes.find(({ key }) => key === expected[0]?.route)?.conceal === true;
    const manner = { accept: question.accept ?? "exact", conceals };
    const { differences, match, unclear } = compare(expected, reply, manner);
    if (reply.kind === "barred" && differences.length === 0)
      this.ledger.bar(
        reply.by === "handshake" ? "in the handshake" : `with ${reply.by}, to whatever is asked`,
        question.about,
      );
    if (unclear !== undefined) return this.ledger.leaveOut(`no answer to judge: ${unclear}`, question.about);
    const all = [...differences];
    const cut = reply.kind === "answer" ? reply.cut : undefined;
    if (cut !== undefined)
      this.ledger.leaveOut(`what an answer holds: it was cut off, since ${cut}`, question.about);
    else if (match?.outcome === "admit" && reply.kind === "answer") {
      const answer = handlerAnswer(reply.answer);
      const under = { by, request, answer, ...mannerOf(question) };
      const shaped = (await inquire(this.ground, under)).expected.find(({ outcome }) => outcome === "admit");
      if (shaped !== undefined) all.push(...shapeDifferences(shaped, reply.answer));
      if (by !== undefined && this.ground.keyring.wantsNonce(by.person))
        all.push(...missingNonce(wire, reply.answer));
    }
    if (reply.kind === "answer" && reply.answer.surplus > 0)
      all.push({
        kind: "head",
        subject: "surplus",
        message: "content stands behind an answer to HEAD, or behind 204 or 304",
      });
    for (const difference of all) this.tell(difference, question, match ?? expected[0], wire, reply);
  }

  tell(
    difference: Difference,
    question: Pick<Question, "area" | "about" | "route">,
    result: PolicyResult | undefined,
    wire: WireRequest,
    reply: Reply,
  ): void {
    const { policy } = this.parts;
    const route = policy.routes.find(({ key }) => key === question.route);
    this.ledger.differ(difference, {
      area: question.area,
      about: question.about,
      route: question.route ?? null,
      expected: describe(result),
      got: describeReply(reply),
      request: shownRequest(wire, policy, this.#ownFields),
      result,
      pointer: route?.pointer ?? "",
    });
  }

  /** Undefined: there is no such caller, or no such request. */
  private async expectationOf(question: Question): Promise<Expectation | undefined> {
    const { by, request, route } = question;
    const fresh = this.fresh(by, route, request);
    const complete = this.complete(request);
    for (const asker of fresh === by ? [by] : [fresh, by]) {
      try {
        const manner = mannerOf(question);
        // The engine wants no nonce: it is asked about a proof that is bad in another way.
        const asking = { by: asker, request: complete, ...manner, ...(question.nonce && { spoil: NO_ID }) };
        const { sent, expected } = await inquire(this.ground, asking);
        const answers = question.nonce === undefined ? expected : expected.map(withNonceError);
        return sent === undefined ? undefined : { by: asker, request: complete, sent, expected: answers };
      } catch (error) {
        if (!isImpossible(error)) throw error;
      }
    }
    return undefined;
  }

  /** Each from another address, where the server believes that: no limit of one address is spent by the probe as a whole. */
  complete(request: TestRequest): TestRequest {
    const complete = this.ground.complete(request);
    if (this.parts.proxy === undefined) return complete;
    const own = new Set(Object.keys(request.headers ?? {}).map((name) => name.toLowerCase()));
    const fields = Object.entries(this.parts.proxy.fieldsFor(addressOf(++this.#callers))).filter(
      ([name]) => !own.has(name.toLowerCase()) && !this.#ownFields.has(name.toLowerCase()),
    );
    return withHeaders(complete, Object.fromEntries(fields));
  }

  /** Somebody whom no limit knows yet, and nothing else than who they are: the path may name what they have. */
  fresh(by: Asker | undefined, key: string | undefined, request: TestRequest): Asker | undefined {
    if (by === undefined || by.holder !== undefined || by.person.credentials !== undefined) return by;
    const { policy } = this.parts;
    const route = policy.routes.find((one) => one.key === key);
    const number = ++this.#callers;
    const { id = `probe-${number}`, attributes } = by.person;
    const limits = JSON.stringify(
      route?.limits.map(({ value }) => policy.limits.get(value)?.value.by ?? "") ?? [],
    );
    const own = Object.entries(attributes ?? {}).map(([name, value]): [string, unknown] => {
      const counted = limits.includes(`principal.${name}`) && typeof value === "string";
      return [name, counted && !request.target.includes(value) ? `${value}-${number}` : value];
    });
    const person: TestPerson = {
      ...by.person,
      id,
      ...(attributes === undefined ? {} : { attributes: Object.fromEntries(own) }),
    };
    return { ...by, person };
  }

  private isKnown(question: Question, { by, sent }: Expectation): boolean {
    const { accept, odd, spoil, twice, certificate, nonce } = question;
    const { id: _id, attributes: _attributes, ...person } = by?.person ?? {};
    const { method, target, headers, content } = sent;
    const volatile = this.parts.proxy?.fieldsFor("") ?? {};
    const fields = headers
      .filter(
        ([name]) =>
          !Object.hasOwn(volatile, name) &&
          !(by !== undefined && /^(?:authorization|cookie|dpop|signature|signature-input)$/iu.test(name)),
      )
      .map((field) => field.join(": "));
    const text = content === undefined ? "" : Buffer.from(content).toString("base64");
    const special = spoil ?? twice ?? certificate ?? nonce;
    const manner = [accept, odd, special === undefined ? "" : question.about];
    const key = JSON.stringify([method, target, fields, text, by === undefined ? "" : person, ...manner]);
    if (this.#seen.has(key)) return true;
    this.#seen.add(key);
    return false;
  }

  private async askRaw(question: RawQuestion): Promise<void> {
    const { area, about, head, content } = question;
    if (!(await this.pace.turn())) return this.ledger.leaveOut(SPENT, about);
    const bytes = Buffer.from(`${head.join("\r\n")}\r\n\r\n${content}`, "latin1");
    const [method = "GET", target = "/"] = (head[0] ?? "").split(" ");
    const reply = await this.parts.client.sendBytes(bytes, method, this.#delivery.usual);
    this.#asked += 1;
    if (reply.kind !== "answer" || reply.answer.status >= 400) return;
    const headers = head.slice(1).map((line): [string, string] => {
      const colon = line.indexOf(":");
      return colon < 0 ? [line, ""] : [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
    this.tell(
      { kind: "wider", subject: "", message: "a message was served that can be read in two ways" },
      { area, about, route: undefined },
      undefined,
      { method, target, headers, content: undefined },
      reply,
    );
  }

  async sendPlain(wire: WireRequest, by: Asker | undefined): Promise<Reply | undefined> {
    return await this.#delivery.send(wire, showsOf(this.ground, { by }));
  }

  /** Whether any limit of the policy may refuse the request. */
  private hasLimits(expected: readonly PolicyResult[]): boolean {
    const { globalLimits, routes, authenticators } = this.parts.policy;
    const route = routes.find(({ key }) => key === expected[0]?.route);
    return globalLimits.length + (route?.limits.length ?? 0) + authenticators.size > 0;
  }
}

/** Seconds that no tolerance of tokens is likely to bridge. */
const CLOCKS_APART = 30;

function secondsAhead({ fields }: Answer): number {
  const time = Date.parse(valuesOf(fields, "date")[0] ?? "");
  return Number.isNaN(time) ? 0 : Math.round((time - Date.now()) / 1000);
}

const REPLAYED = "it would be the same message once more, and only its sender can sign another";

const NONCE_ASKED: Difference = {
  kind: "stricter",
  subject: "nonce",
  message: "the server wants proofs to carry a nonce, and the policy does not",
};

function mannerOf({
  odd,
  spoil,
  twice,
  certificate,
}: Question): Pick<Question, "spoil" | "twice" | "certificate"> & { readonly odd: boolean } {
  return {
    odd: odd === true,
    ...(spoil === undefined ? {} : { spoil }),
    ...(twice === undefined ? {} : { twice }),
    ...(certificate === undefined ? {} : { certificate }),
  };
}
