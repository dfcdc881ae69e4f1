/** A full store that may not forget anybody: ours to answer for (503), not the caller's. */
import { StoreError } from "../ports/state-store.js";

export function noRoom(): StoreError {
  return new StoreError("oom", false, "the store is full and no entry has run out");
}
