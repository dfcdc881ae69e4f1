/**
 * What a limit has to say of a take. A class, for speed: instants grow out of small integers while a server runs, and object literals
 * in code that is optimized already would go on being made in the shape of before, which every reader has to convert.
 */
import type { TakePart } from "../ports/state-store.js";

export class Part implements TakePart {
  constructor(
    readonly allowed: boolean,
    readonly remaining: number,
    readonly resetUs: number,
    readonly retryUs: number,
  ) {}
}
