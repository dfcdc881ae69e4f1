/** One request, put to both policies through the real engine: the same bytes, the same clock, the same answers of the application. */
import {
  STAGES,
  type DecisionEvent,
  type PolicyDocument,
  type StageName,
  type TlsFacts,
} from "@gatehouse/core";
import {
  policyKit,
  PolicyTestError,
  type Caller,
  type PolicyKit,
  type PolicyResult,
  type SentRequest,
  type TestAnswer,
  type TestPerson,
  type TestRequest,
} from "@gatehouse/core/testing";
import { isRecord } from "../lib/json.js";

export interface Candidate {
  readonly request: TestRequest;
  /** Undefined: anonymous. */
  readonly person?: TestPerson | undefined;
  /** Whose policy makes the credential. */
  readonly by: "old" | "new";
  /** What the handler answers. */
  readonly answer?: TestAnswer | undefined;
  /** Checks that say no. */
  readonly refusing?: readonly string[] | undefined;
}

/** What one side made of it. */
export interface Seen {
  readonly result: PolicyResult;
  /** The stage that refused, or would have where the route observes. */
  readonly refusedAt: StageName | undefined;
  readonly code: string | undefined;
}

export interface Exchange {
  readonly candidate: Candidate;
  readonly old: Seen;
  readonly new: Seen;
}

/** A request of a sequence, and how long after the one before it comes. */
export interface Step {
  readonly candidate: Candidate;
  readonly wait: number;
}

type Heard = (side: "old" | "new", event: DecisionEvent) => void;

interface Callers {
  readonly old: Caller | undefined;
  readonly new: Caller | undefined;
}

export class Duel {
  readonly #refusing = new Set<string>();
  readonly #people = new Map<string, Callers>();
  readonly #glances = new Map<string, Promise<Exchange | undefined>>();
  /** Whether a sequence has moved the clock. */
  #moved = false;
  #kits: { readonly old: PolicyKit; readonly new: PolicyKit } | undefined;

  /** @param heard what the operator of either side is told, as it is */
  static async between(old: PolicyDocument, fresh: PolicyDocument, heard?: Heard): Promise<Duel> {
    const duel = new Duel({ old, new: fresh });
    const secrets = sameSecrets([old, fresh]);
    const kit = (side: "old" | "new", document: PolicyDocument): Promise<PolicyKit> =>
      duel.#kit(document, secrets, (_result, event) => heard?.(side, event));
    duel.#kits = { old: await kit("old", old), new: await kit("new", fresh) };
    return duel;
  }

  private constructor(private readonly documents: Readonly<Record<"old" | "new", PolicyDocument>>) {}

  #kit(
    document: PolicyDocument,
    secrets: Readonly<Record<string, string>>,
    onDecision: (result: PolicyResult, event: DecisionEvent) => void,
  ): Promise<PolicyKit> {
    const checks = Object.fromEntries(
      checksOf(document).map((name) => [name, (): boolean => !this.#refusing.has(name)]),
    );
    return policyKit(document, { checks, secrets, onDecision });
  }

  async close(): Promise<void> {
    await this.#kits?.old.close();
    await this.#kits?.new.close();
  }

  /** Undefined where no such caller can be made. Counters are fresh. */
  async ask(candidate: Candidate): Promise<Exchange | undefined> {
    this.#reset();
    return this.#exchange(candidate);
  }

  /**
   * The same but for what the answer tells of counters: they are emptied only where they would refuse, and what was asked before is not
   * asked again, which costs less.
   */
  glance(candidate: Candidate): Promise<Exchange | undefined> {
    const key = JSON.stringify(candidate);
    const known = this.#glances.get(key) ?? this.#glance(candidate);
    this.#glances.set(key, known);
    return known;
  }

  async #glance(candidate: Candidate): Promise<Exchange | undefined> {
    if (this.#moved) this.#reset();
    const exchange = await this.#exchange(candidate);
    const met = [exchange?.old, exchange?.new].some((seen) => seen?.refusedAt?.includes("limit") === true);
    return met ? this.ask(candidate) : exchange;
  }

  /** In order, with counters that are kept. */
  async follow(steps: readonly Step[], until: (exchange: Exchange) => boolean): Promise<readonly Exchange[]> {
    this.#reset();
    this.#moved = true;
    const seen: Exchange[] = [];
    for (const { candidate, wait } of steps) {
      if (wait > 0) for (const kit of Object.values(this.#both)) kit.clock.advance(`${wait}ms`);
      const exchange = await this.#exchange(candidate);
      if (exchange === undefined) return [];
      seen.push(exchange);
      if (until(exchange)) break;
    }
    return seen;
  }

  get #both(): { readonly old: PolicyKit; readonly new: PolicyKit } {
    if (this.#kits === undefined) throw new Error("the policies are not compiled");
    return this.#kits;
  }

  #reset(): void {
    this.#moved = false;
    this.#both.old.reset();
    this.#both.new.reset();
  }

  async #exchange(candidate: Candidate): Promise<Exchange | undefined> {
    this.#refusing.clear();
    for (const name of candidate.refusing ?? []) this.#refusing.add(name);
    const { by, request } = candidate;
    const other = by === "old" ? "new" : "old";
    if (this.#isRenamed(candidate.person, by, other)) return undefined;
    const callers = this.#callersFor(candidate.person);
    const minter = callers[by];
    if (minter === undefined) return undefined;
    let made: PolicyResult;
    try {
      made = await answering(minter, candidate).request(request);
    } catch (error) {
      // A header or target that no test could send.
      if (error instanceof PolicyTestError) return undefined;
      throw error;
    }
    const replayed = await answering(this.#both[other].anonymous, candidate).request(rawOf(made.request));
    const seen = { [by]: seenOf(made), [other]: seenOf(replayed) } as { old: Seen; new: Seen };
    return { candidate, ...seen };
  }

  /** The kit knows keys by the name of the authenticator: of one that has another name there, nothing can be asked. */
  #isRenamed(person: TestPerson | undefined, by: "old" | "new", other: "old" | "new"): boolean {
    const names =
      person?.credentials === undefined ? [person?.authenticator ?? ""] : Object.keys(person.credentials);
    const { authenticators: own = {} } = this.documents[by];
    const { authenticators: theirs = {} } = this.documents[other];
    return names.some((name) => {
      const mine = own[name];
      // Users are made on the side that is asked, and unknown to the other.
      if (mine?.type === "basic") return true;
      if (mine === undefined || mine.type === "jwt" || theirs[name] !== undefined) return false;
      return Object.values(theirs).some((one) => one.type === mine.type && placeOf(one) === placeOf(mine));
    });
  }

  /** Made on both sides at once, so that both know the keys. */
  #callersFor(person: TestPerson | undefined): Callers {
    if (person === undefined) return { old: this.#both.old.anonymous, new: this.#both.new.anonymous };
    const name = JSON.stringify(person);
    const known = this.#people.get(name);
    if (known !== undefined) return known;
    const made = { old: callerIn(this.#both.old, person), new: callerIn(this.#both.new, person) };
    this.#people.set(name, made);
    return made;
  }
}

/** One value for all: what differs between the secrets behind two references is not in a policy. */
function sameSecrets(documents: readonly PolicyDocument[]): Readonly<Record<string, string>> {
  const references = new Set<string>();
  JSON.stringify(documents, (key, value: unknown) => {
    if (key === "secret" && typeof value === "string") references.add(value);
    return isBasic(value) ? { ...value, users: undefined } : value;
  });
  return Object.fromEntries([...references].map((reference) => [reference, SECRET]));
}

/** Its secret is a list of users, which the kit makes for the people who ask. */
function isBasic(value: unknown): value is Readonly<Record<string, unknown>> {
  return isRecord(value) && value["type"] === "basic";
}

/** Long enough for every algorithm. */
const SECRET = "throwaway".repeat(16);

function callerIn(kit: PolicyKit, person: TestPerson): Caller | undefined {
  try {
    return kit.as(person);
  } catch (error) {
    if (error instanceof PolicyTestError) return undefined;
    throw error;
  }
}

function answering(caller: Caller, { answer }: Candidate): Caller {
  return answer === undefined ? caller : caller.answering(answer);
}

function rawOf(sent: SentRequest): TestRequest {
  const headers: Record<string, string[]> = {};
  for (const [name, value] of sent.headers) (headers[name] ??= []).push(value);
  return {
    method: sent.method,
    target: sent.target,
    headers,
    https: sent.https,
    ...(sent.tls === undefined ? {} : { tls: tlsOf(sent.tls) }),
    ip: sent.ip,
    httpVersion: sent.httpVersion,
    ...(sent.upgrade ? { upgrade: true } : {}),
    ...(sent.content === undefined ? {} : { base64: Buffer.from(sent.content).toString("base64") }),
  };
}

/** Both sides meet the same connection. */
function tlsOf({ protocol, cipher, clientCertificate }: TlsFacts): NonNullable<TestRequest["tls"]> {
  return {
    ...(protocol === "TLSv1.2" || protocol === "TLSv1.3" ? { protocol } : {}),
    ...(cipher === undefined ? {} : { cipher }),
    ...(clientCertificate === undefined
      ? {}
      : {
          clientCertificate: {
            ...clientCertificate,
            validFrom: new Date(clientCertificate.validFrom).toISOString(),
            validTo: new Date(clientCertificate.validTo).toISOString(),
          },
        }),
  };
}

function seenOf(result: PolicyResult): Seen {
  const { decision } = result;
  if (decision.outcome === "refuse")
    return { result, refusedAt: decision.stage, code: result.concealed ?? decision.code };
  const [observed] = decision.outcome === "admit" ? (decision.observed ?? []) : [];
  return { result, refusedAt: observed?.stage, code: observed?.code };
}

const RANKS: ReadonlyMap<string, number> = new Map(STAGES.map((stage, at) => [stage, at]));

export function rankOf(stage: StageName): number {
  return RANKS.get(stage) ?? STAGES.length;
}

function checksOf(document: PolicyDocument): readonly string[] {
  const demands = [
    document.defaults?.authorize,
    ...Object.values(document.groups ?? {}).map(({ require }) => require),
    ...Object.values(document.routes).map(({ authorize }) => authorize),
  ];
  const names = demands
    .flat()
    .flatMap((entry) => (typeof entry === "object" && "check" in entry ? [entry.check ?? []].flat() : []));
  return [...new Set(names)];
}

function placeOf(settings: object): string {
  return JSON.stringify([Reflect.get(settings, "in"), Reflect.get(settings, "name")]);
}
