/** A running server, held against its policy: each question is put to the engine and to the server, and the answers are compared. */
import type { PolicyDocument } from "@gatehouse/core";
import { analyse, type ResolvedPolicy } from "@gatehouse/core/analysis";
import type { PolicyResult, TestPerson, TestRequest } from "@gatehouse/core/testing";
import { UsageError } from "../cli/io.js";
import { choiceHelp } from "../lib/near.js";
import { version } from "../lib/version.js";
import { valuesOf, type Answer } from "./answer.js";
import { questionsFor } from "./areas/index.js";
import { AREAS, DEFAULTS, type Area } from "./choices.js";
import { Client, GoneError, type Reply, type WireRequest } from "./client.js";
import { compare, describe, describeReply } from "./compare.js";
import type { Difference, ProbeReport } from "./finding.js";
import { floodLimits } from "./floods.js";
import { completer, groundFor, type Ground } from "./ground.js";
import { isImpossible, Judge } from "./judge.js";
import { Keyring, type Holder } from "./keyring.js";
import { Ledger } from "./ledger.js";
import { Pace } from "./pace.js";
import { isLoopback, placeOf } from "./place.js";
import { addressOf, proxyFor, type Proxy } from "./proxy.js";
import { withHeaders, type Asker, type Question, type RawQuestion } from "./question.js";
import { handlerAnswer, shapeDifferences } from "./shaped.js";
import { shownRequest } from "./shown.js";
import { keysIn, readSigningKey, type Jwk } from "./tokens.js";

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
  /** Private keys by authenticator, as PEM or JSON Web Key. */
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
const SPENT = "no more requests are left: `--max-requests` allows more";
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
  readonly expected: readonly PolicyResult[];
}

export class Run {
  readonly ledger = new Ledger();
  readonly pace: Pace;
  readonly ground: Ground;
  #asked = 0;
  #callers = 0;
  /** The request that was answered last. */
  #last:
    { readonly question: Pick<Question, "area" | "about" | "route">; readonly wire: WireRequest } | undefined;
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
    // Whoever says where it comes from must be heard all the same.
    const seen = await reached(client, url);
    const peer = options.ip ?? seen;
    const proxy = place.https ? undefined : proxyFor(policy, peer);
    const fields = fieldsOver(
      {
        "User-Agent": `gatehouse-probe/${version()}`,
        Accept: "*/*",
        Connection: "close",
        ...proxy?.fieldsFor(addressOf(0)),
      },
      options.headers ?? {},
    );
    const judge = new Judge(document, Date.now);
    const keyring = new Keyring(
      policy,
      keysFor(policy, options),
      holdersOf(options),
      publicKeysOf(policy, options),
    );
    const complete = completer(fields, { host: place.authority, https: place.https, ip: peer });
    const parts = {
      document,
      policy,
      keyring,
      judge,
      params: options.params ?? {},
      only: options.routes,
      complete,
    };
    try {
      await refuseHopeless(judge, complete, place.authority);
      await refuseStrangers(judge, keyring, complete);
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
      if (bases.length === 0) this.ledger.untriedSince("no request was found that it admits", route.key);
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
      notAsked: this.ledger.notAsked,
      untried: this.ledger.untried,
      notes: this.notes(),
    };
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
    const { proxy } = this.parts;
    return [
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
    const [first] = expected;
    if (first === undefined || this.isKnown(question, expectation)) return;
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
    const wire = this.ground.keyring.realise(first.request, by);
    if ("lacks" in wire) return leaveOut(wire.lacks);
    const reply = await this.send(wire.request, expected, leaveOut);
    if (reply === undefined) return;
    if (admitting !== undefined) this.ledger.tried(admitting);
    this.#asked += 1;
    this.#last = { question, wire: wire.request };
    if (reply.kind === "answer") this.#ahead = secondsAhead(reply.answer);
    await this.judge(question, expectation, wire.request, reply);
  }

  private async judge(
    question: Question,
    { by, request, expected }: Expectation,
    wire: WireRequest,
    reply: Reply,
  ): Promise<void> {
    const conceals = this.parts.policy.routes.find(({ key }) => key === expected[0]?.route)?.conceal === true;
    const manner = { accept: question.accept ?? "exact", conceals };
    const { differences, match, unclear } = compare(expected, reply, manner);
    if (unclear !== undefined) return this.ledger.leaveOut(`no answer to judge: ${unclear}`, question.about);
    const all = [...differences];
    const cut = reply.kind === "answer" ? reply.cut : undefined;
    if (cut !== undefined)
      this.ledger.leaveOut(`what an answer holds: it was cut off, since ${cut}`, question.about);
    else if (match?.outcome === "admit" && reply.kind === "answer") {
      const answer = handlerAnswer(reply.answer);
      const under = { person: by?.person, request, answer, odd: question.odd === true };
      const shaped = (await this.ground.judge.expect(under)).find(({ outcome }) => outcome === "admit");
      if (shaped !== undefined) all.push(...shapeDifferences(shaped, reply.answer));
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
  private async expectationOf({ by, request, route, odd }: Question): Promise<Expectation | undefined> {
    const fresh = this.fresh(by, route, request);
    const complete = this.complete(request);
    const asking = { request: complete, odd: odd === true };
    for (const asker of fresh === by ? [by] : [fresh, by]) {
      try {
        const expected = await this.ground.judge.expect({ ...asking, person: asker?.person });
        return { by: asker, request: complete, expected };
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

  private isKnown({ accept, odd }: Question, { by, expected }: Expectation): boolean {
    const [first] = expected;
    if (first === undefined) return true;
    const { id: _id, attributes: _attributes, ...person } = by?.person ?? {};
    const { method, target, headers, content } = first.request;
    const volatile = this.parts.proxy?.fieldsFor("") ?? {};
    const fields = headers
      .filter(
        ([name]) =>
          !Object.hasOwn(volatile, name) &&
          !(by !== undefined && /^(?:authorization|cookie|dpop)$/iu.test(name)),
      )
      .map((field) => field.join(": "));
    const text = content === undefined ? "" : Buffer.from(content).toString("base64");
    const key = JSON.stringify([method, target, fields, text, by === undefined ? "" : person, accept, odd]);
    if (this.#seen.has(key)) return true;
    this.#seen.add(key);
    return false;
  }

  private async askRaw(question: RawQuestion): Promise<void> {
    const { area, about, head, content } = question;
    if (!(await this.pace.turn())) return this.ledger.leaveOut(SPENT, about);
    const bytes = Buffer.from(`${head.join("\r\n")}\r\n\r\n${content}`, "latin1");
    const [method = "GET", target = "/"] = (head[0] ?? "").split(" ");
    const reply = await this.parts.client.sendBytes(bytes, method);
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

  /** Undefined: nothing came that can be judged, and that was told. */
  private async send(
    wire: WireRequest,
    expected: readonly PolicyResult[],
    leaveOut: (why: string) => void,
  ): Promise<Reply | undefined> {
    for (;;) {
      if (!(await this.pace.turn())) {
        leaveOut(SPENT);
        return undefined;
      }
      const reply = await this.parts.client.send(wire);
      if (!isLimited(reply, expected) || !this.hasLimits(expected)) return reply;
      if (await this.pace.rest(retryAfter(reply))) continue;
      leaveOut("a limit of the policy refused it: `--wait` waits longer");
      return undefined;
    }
  }

  async sendPlain(wire: WireRequest): Promise<Reply | undefined> {
    return (await this.pace.turn()) ? await this.parts.client.send(wire) : undefined;
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

function isLimited(
  reply: Reply,
  expected: readonly PolicyResult[],
): reply is { readonly kind: "answer"; readonly answer: Answer } {
  return (
    reply.kind === "answer" && reply.answer.status === 429 && expected.every(({ status }) => status !== 429)
  );
}

function retryAfter(reply: { readonly answer: Answer }): number {
  const [value = "60"] = valuesOf(reply.answer.fields, "retry-after");
  return /^\d{1,9}$/u.test(value) ? (Number(value) + 1) * 1000 : 60_000;
}

/** @throws UsageError where two fields of one name would go out: the server would refuse them, whatever the question */
function requireOwn(own: Readonly<Record<string, string>>): void {
  const names = Object.keys(own).map((name) => name.toLowerCase());
  if (names.includes("host")) throw new UsageError("`--host` says the host, not a header");
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new UsageError(`the header \`${twice}\` is given twice`);
}

/** By name, however it is spelled. */
function fieldsOver(
  base: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const names = new Set(Object.keys(own).map((name) => name.toLowerCase()));
  const kept = Object.entries(base).filter(([name]) => !names.has(name.toLowerCase()));
  return { ...Object.fromEntries(kept), ...own };
}

async function reached(client: Client, url: string): Promise<string> {
  try {
    const address = await client.localAddress();
    const reply = await client.send({
      method: "GET",
      target: "/",
      headers: [
        ["Host", new URL(url).host],
        ["Connection", "close"],
      ],
      content: undefined,
    });
    if (reply.kind === "answer") return address;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
    throw new UsageError(`there is no connection to \`${url}\`${code}`);
  }
  throw new UsageError(`what listens at \`${url}\` does not answer in HTTP`);
}

/** Where everything is refused for the same reason, nothing is learnt. */
async function refuseHopeless(
  judge: Judge,
  complete: (request: TestRequest) => TestRequest,
  authority: string,
): Promise<void> {
  const [result] = await judge.expect({
    person: undefined,
    request: complete({ target: "/nothing-is-here-7f3a" }),
  });
  if (result?.code === "misdirected-host")
    throw new UsageError(
      `the policy serves no host \`${authority}\`: it would refuse everything`,
      "say with `--host` which of its hosts is meant",
    );
  if (result?.code === "https-required" || result?.status === 308)
    throw new UsageError(
      "the policy refuses plain HTTP, and believes no proxy at this address: it would refuse everything",
      "ask the proxy that ends TLS, by an `https:` URL, or say with `--header` what it says",
    );
}

/** A slip in what is said of somebody would leave out what they were handed over for. */
async function refuseStrangers(
  judge: Judge,
  keyring: Keyring,
  complete: (request: TestRequest) => TestRequest,
): Promise<void> {
  for (const [name, { person }] of keyring.holders) {
    try {
      await judge.expect({ person, request: complete({ target: "/nothing-is-here-7f3a" }) });
    } catch (error) {
      if (!isImpossible(error)) throw error;
      const problems = error.diagnostics.map(({ message, help }) =>
        [message, help].filter(Boolean).join("; "),
      );
      throw new UsageError(`\`${name}\` does not fit the policy: ${problems.join(", ")}`);
    }
  }
}

function keysFor(
  policy: ResolvedPolicy,
  { keys = {} }: ProbeOptions,
): Map<string, ReturnType<typeof readSigningKey>> {
  return new Map(
    Object.entries(keys).map(([name, text]) => {
      const settings = policy.authenticators.get(name)?.settings;
      if (settings?.type !== "jwt")
        throw new UsageError(`the policy has no authenticator \`${name}\` of type \`jwt\``);
      return [name, readSigningKey(text, settings.algorithms, name)] as const;
    }),
  );
}

function holdersOf({ people = {} }: ProbeOptions): Map<string, Holder> {
  return new Map(Object.entries(people));
}

/** Those that stand in the policy itself. */
function publicKeysOf(
  { authenticators }: ResolvedPolicy,
  { publicKeys = {} }: ProbeOptions,
): Map<string, Jwk> {
  const found = new Map<string, Jwk>(Object.entries(publicKeys));
  for (const { name, settings } of authenticators.values()) {
    if (settings.type !== "jwt" || found.has(name) || !("jwks" in settings.keys)) continue;
    const [first] = keysIn(settings.keys.jwks);
    if (first !== undefined) found.set(name, first);
  }
  return found;
}
