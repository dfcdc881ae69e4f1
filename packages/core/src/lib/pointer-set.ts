/**
 * Pointers with `*` and `**`, all followed at once: a set of states says how far each has matched on the way to a value.
 * Sets are made when the policy is compiled; a request only walks from one prepared node to the next.
 */

type Token =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "any" }
  | { readonly kind: "deep" };

/** How far which pointers have matched. `key` is the same for equal sets. */
export interface Progress {
  readonly key: string;
  /** Pairs of pointer and token, as `pointer * WIDTH + token`, ascending. */
  readonly states: readonly number[];
}

/** More tokens than a pointer of 512 characters can have. */
const WIDTH = 1024;

export const NO_PROGRESS: Progress = { key: "", states: [] };

/** Undefined: no pointer (RFC 6901 with `~2` for a literal `*`). */
function parseTokens(pointer: string): Token[] | undefined {
  if (!/^(?:\/(?:[^~/]|~[012])*)+$/u.test(pointer)) return undefined;
  return pointer.slice(1).split("/").map(tokenOf);
}

function tokenOf(segment: string): Token {
  if (segment === "*") return { kind: "any" };
  if (segment === "**") return { kind: "deep" };
  return { kind: "name", name: segment.replaceAll("~2", "*").replaceAll("~1", "/").replaceAll("~0", "~") };
}

export class Pointers {
  readonly #tokens: readonly (readonly Token[])[];
  readonly start: Progress;

  constructor(pointers: readonly string[]) {
    this.#tokens = pointers.map((pointer) => parseTokens(pointer) ?? []);
    this.start = this.#closed(
      this.#tokens.flatMap((tokens, index) => (tokens.length === 0 ? [] : [index * WIDTH])),
    );
  }

  /**
   * @param name of the member or item that is stepped into; undefined: any that no pointer names
   */
  step(progress: Progress, name: string | undefined): Progress {
    const next: number[] = [];
    for (const state of progress.states) {
      const token = this.#token(state);
      if (token === undefined) continue;
      if (token.kind === "deep") next.push(state);
      else if (token.kind === "any" || token.name === name) next.push(state + 1);
    }
    return this.#closed(next);
  }

  /** Names that some pointer goes on with. */
  names(progress: Progress): readonly string[] {
    const names = new Set<string>();
    for (const state of progress.states) {
      const token = this.#token(state);
      if (token?.kind === "name") names.add(token.name);
    }
    return [...names];
  }

  /** Indices of the pointers that match the value which was reached. */
  matched(progress: Progress): readonly number[] {
    return progress.states
      .filter((state) => this.#token(state) === undefined)
      .map((state) => Math.floor(state / WIDTH));
  }

  #token(state: number): Token | undefined {
    return this.#tokens[Math.floor(state / WIDTH)]?.[state % WIDTH];
  }

  /** `**` is zero or more steps: where it stands, what follows it may begin as well. */
  #closed(states: readonly number[]): Progress {
    const all = new Set(states);
    for (const state of all) if (this.#token(state)?.kind === "deep") all.add(state + 1);
    if (all.size === 0) return NO_PROGRESS;
    const sorted = [...all].sort((a, b) => a - b);
    return { key: sorted.join(","), states: sorted };
  }
}
