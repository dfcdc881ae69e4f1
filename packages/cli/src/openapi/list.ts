/** What comes of reading a description besides the policy: nothing is decided or left out without a line here. */

export type ItemKind =
  /** A person has to decide; until then the stricter holds. */
  | "decide"
  /** The description says it, and the policy does not. */
  | "lost"
  /** What was made of it, for those who wonder. */
  | "note";

export interface Item {
  readonly kind: ItemKind;
  /** Stable, e.g. `no-security`. */
  readonly code: string;
  /** Where in the description: file and JSON Pointer; empty where it says nothing of it. */
  readonly source: string;
  /** JSON Pointer into the policy that is written; undefined where nothing stands there. */
  readonly at?: string;
  readonly message: string;
}

export class Items {
  private readonly items = new Map<string, Item>();

  add(item: Item): void {
    const key = `${item.code}\n${item.source}\n${item.at ?? ""}\n${item.message}`;
    if (!this.items.has(key)) this.items.set(key, item);
  }

  get all(): readonly Item[] {
    return [...this.items.values()];
  }
}
