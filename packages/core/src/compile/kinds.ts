/** Every policy kind. The order here decides nothing: stages are sorted by `stages.ts`. */
import type { Kind } from "../model/kind.js";

export const KINDS: readonly Kind[] = [];
