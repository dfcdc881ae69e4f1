/** The generator library, as the caller hands it over: what runs is the caller's version, and nothing is loaded without it. */
import type fc from "fast-check";

export type FastCheck = typeof fc;
