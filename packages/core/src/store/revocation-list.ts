/** This process's copy of what is revoked: look-ups alone, and bounded without forgetting anybody early. */
import type { RevocationFacts } from "../ports/revocations.js";

/** As it stands in the log. */
export interface RevocationEntry {
  readonly authenticator: string;
  readonly kind: "jti" | "sid" | "id";
  readonly value: string;
  /** Milliseconds since the epoch; of `id` alone. */
  readonly before: number;
  readonly until: number;
}

interface Term {
  readonly before: number;
  readonly until: number;
}

type Terms = Map<string, Term>;
type Kinds = Readonly<Record<RevocationEntry["kind"], Terms>>;

export class RevocationList {
  readonly #authenticators = new Map<string, Kinds>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @returns false: there is no room for it, and nothing that is kept has run out */
  add(entry: RevocationEntry, most: number, now: number): boolean {
    if (entry.until <= now) return true;
    const terms = this.#kindsOf(entry.authenticator)[entry.kind];
    const known = terms.get(entry.value);
    if (known === undefined) {
      if (this.#size >= most) this.sweep(now);
      if (this.#size >= most) return false;
      this.#size += 1;
    }
    // Of two the stricter: an entry is never taken back.
    terms.set(entry.value, {
      before: Math.max(entry.before, known?.before ?? 0),
      until: Math.max(entry.until, known?.until ?? 0),
    });
    return true;
  }

  holds({ authenticator, id, jti, sid, issuedAt }: RevocationFacts, now: number): boolean {
    if (this.#size === 0) return false;
    const kinds = this.#authenticators.get(authenticator);
    if (kinds === undefined) return false;
    if (jti !== undefined && isCurrent(kinds.jti.get(jti), now)) return true;
    if (sid !== undefined && isCurrent(kinds.sid.get(sid), now)) return true;
    const term = kinds.id.get(id);
    // A credential that does not say when it was issued may be one of those that are meant.
    return isCurrent(term, now) && (issuedAt === undefined || issuedAt < term.before);
  }

  sweep(now: number): void {
    for (const [name, kinds] of this.#authenticators) {
      for (const terms of Object.values(kinds)) {
        for (const [value, term] of terms) {
          if (isCurrent(term, now)) continue;
          terms.delete(value);
          this.#size -= 1;
        }
      }
      if (kinds.jti.size + kinds.sid.size + kinds.id.size === 0) this.#authenticators.delete(name);
    }
  }

  #kindsOf(authenticator: string): Kinds {
    const known = this.#authenticators.get(authenticator);
    if (known !== undefined) return known;
    const kinds: Kinds = { jti: new Map(), sid: new Map(), id: new Map() };
    this.#authenticators.set(authenticator, kinds);
    return kinds;
  }
}

function isCurrent(term: Term | undefined, now: number): term is Term {
  return term !== undefined && term.until > now;
}
