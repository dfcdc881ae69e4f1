/** What part of a limit a store says that this process keeps. */
import type { StateStore } from "../../ports/state-store.js";

/** Nothing that a store says is believed: anything but a part is the whole. */
export function shareOf(store: StateStore): number {
  try {
    const share: unknown = store.share?.();
    return typeof share === "number" && share > 0 && share <= 1 ? share : 1;
  } catch {
    return 1;
  }
}
