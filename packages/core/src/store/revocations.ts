/**
 * What is revoked, known to every process that shares the store. The store keeps a log of it; each process keeps a copy, which it
 * brings up to date in the background. A request asks the copy and waits for nothing.
 */
import { inTime, isPromiseLike } from "../lib/deadline.js";
import type { Clock } from "../ports/clock.js";
import type { Lifetime } from "../ports/lifetime.js";
import type {
  Revocation,
  RevocationFacts,
  Revocations,
  RevocationTerms,
  RevocationVerdict,
} from "../ports/revocations.js";
import { StoreError, type CallContext, type LogPage, type StateStore } from "../ports/state-store.js";
import { bytesOf, entryIn, entryOf, type Authenticators } from "./revocation-entry.js";
import { RevocationList } from "./revocation-list.js";

const LOG = "revocations";
/** In the background a store may take longer than a request would wait. */
const PATIENCE_MS = 5000;
/** Of all that runs out meanwhile: the list is swept when it is full, and else so often. */
const SWEEP_MS = 60_000;

export class StoreRevocations implements Revocations {
  readonly #list = new RevocationList();
  /** Of every policy that is in use, or may be soon: one that is refused after all must not loosen the other's. */
  readonly #terms = new Set<RevocationTerms>();
  /** Of candidates in shadow: they bind nobody, and count where there are no others. */
  readonly #besides = new Set<RevocationTerms>();
  #cursor: string | undefined;
  /** On the monotonic clock, in milliseconds; when the log was last read to its end. */
  #currentAt = Number.NEGATIVE_INFINITY;
  #sweptAt = 0;
  #reading: Promise<void> | undefined;

  constructor(
    private readonly store: StateStore,
    private readonly clock: Clock,
  ) {}

  get supported(): boolean {
    return this.store.log !== undefined;
  }

  get behindMs(): number {
    return this.clock.monotonic() - this.#currentAt;
  }

  follow(terms: RevocationTerms, lifetime: Lifetime): Promise<void> {
    return this.#follow(terms, lifetime, this.#terms);
  }

  /** The same list for a candidate in shadow: what its terms say changes nothing for the policy that serves. */
  beside(): Revocations {
    return {
      supported: this.supported,
      // Nobody asks a candidate how it is.
      behindMs: 0,
      follow: (terms, lifetime) => this.#follow(terms, lifetime, this.#besides),
      verdict: (facts, terms, now) => this.verdict(facts, terms, now),
    };
  }

  verdict(facts: RevocationFacts, { maxStaleMs }: RevocationTerms, now: number): RevocationVerdict {
    // What lies in this process is asked itself: it answers at once, and there is nothing to be behind.
    if (this.store.scope === "process") this.#readHere();
    if (this.#list.holds(facts, now)) return "revoked";
    return this.clock.monotonic() - this.#currentAt <= maxStaleMs ? "clear" : "stale";
  }

  /**
   * @throws TypeError (rejects) for what cannot be revoked
   * @throws StoreError (rejects) where the store did not take it: other processes will not know of it
   */
  async revoke(revocation: Revocation, authenticators: Authenticators): Promise<void> {
    const { log } = this.store;
    if (log === undefined) throw new Error("the store has no log, so nothing can be revoked");
    const now = this.clock.now();
    const entry = entryOf(revocation, authenticators, now, this.#most("keepForMs"));
    // Here at once, and also where the store fails: whoever revokes wants it gone.
    const added = this.#list.add(entry, this.#most("maxEntries"), now);
    await log.append(LOG, bytesOf(entry), Math.ceil((entry.until - now) * 1000), this.#context());
    if (!added) throw new StoreError("oom", false, "the list of what is revoked is full (`maxEntries`)");
  }

  #most(name: "keepForMs" | "maxEntries"): number {
    const binding = this.#terms.size > 0 ? this.#terms : this.#besides;
    return Math.max(0, ...[...binding].map((terms) => terms[name]));
  }

  async #follow(terms: RevocationTerms, lifetime: Lifetime, among: Set<RevocationTerms>): Promise<void> {
    among.add(terms);
    lifetime.onEnd(() => void among.delete(terms));
    await this.#refresh();
    this.#plan(terms, lifetime);
  }

  #plan(terms: RevocationTerms, lifetime: Lifetime): void {
    // Processes that started together do not ask together.
    const wait = terms.refreshMs * (0.8 + 0.2 * Math.random());
    lifetime.after(wait, () => {
      void this.#refresh().then(() => this.#plan(terms, lifetime));
    });
  }

  /** One at a time; never rejects. */
  #refresh(): Promise<void> {
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readAll(): Promise<void> {
    try {
      for (let more = true; more;) {
        const started = this.clock.monotonic();
        const page = await this.#readPage();
        if (!this.#take(page)) return;
        ({ more } = page);
        if (!more) this.#currentAt = started;
      }
    } catch {
      // The copy grows older, and says so when it is too old.
    }
  }

  #readHere(): void {
    try {
      const page: unknown = this.store.log?.read(LOG, this.#cursor, this.#context());
      // A store of this process that answers later is one like any other: the copy is brought up to date in the background.
      if (isPromiseLike(page) || !isPage(page)) {
        if (isPromiseLike(page)) page.then(undefined, () => undefined);
        return;
      }
      if (this.#take(page)) this.#currentAt = this.clock.monotonic();
    } catch {
      this.#currentAt = Number.NEGATIVE_INFINITY;
    }
  }

  async #readPage(): Promise<LogPage> {
    const answer: unknown = this.store.log?.read(LOG, this.#cursor, this.#context());
    const page = isPromiseLike(answer) ? await inTime(answer, PATIENCE_MS, late) : answer;
    if (isPage(page)) return page;
    throw new StoreError("protocol", false, "`read` of the log answered no page");
  }

  /** All of it or, where there is no room or something that nobody understands, nothing: then the copy is not current. */
  #take({ entries, cursor }: LogPage): boolean {
    const now = this.clock.now();
    if (now - this.#sweptAt > SWEEP_MS) {
      this.#list.sweep(now);
      this.#sweptAt = now;
    }
    const most = entries.length === 0 ? 0 : this.#most("maxEntries");
    for (const bytes of entries) {
      const entry = entryIn(bytes);
      if (entry === undefined || !this.#list.add(entry, most, now)) return false;
    }
    this.#cursor = cursor;
    return true;
  }

  #context(): CallContext {
    return {
      nowUs: Math.floor(this.clock.monotonic() * 1000),
      wallUs: Math.floor(this.clock.now() * 1000),
      deadlineUs: PATIENCE_MS * 1000,
    };
  }
}

function isPage(page: unknown): page is LogPage {
  return (
    typeof page === "object" &&
    page !== null &&
    "entries" in page &&
    Array.isArray(page.entries) &&
    "cursor" in page &&
    typeof page.cursor === "string"
  );
}

function late(): StoreError {
  return new StoreError("timeout", true, "the store did not answer in time");
}
