/** What a root is: how its facts are read, their types, and from when on they are known. */
import type { RequestState } from "../model/state.js";
import type { Availability } from "./condition.js";
import type { CelType, RecordType } from "./types.js";
import type { ReadSet } from "./values.js";

/** One fact of the request. */
export interface Access {
  readonly type: CelType;
  readonly needs: Availability;
  /** Undefined: absent. */
  readonly get: (state: RequestState) => unknown;
  /** The same as a set, where there is one. */
  readonly set?: ReadSet;
  /** Its value may stand in a trace. */
  readonly shown: boolean;
  /** The engine itself made the value: its type needs no second look. */
  readonly trusted: boolean;
}

export interface Root {
  readonly name: string;
  readonly record: RecordType;
  access(member: string): Access | undefined;
}

/** A fact that the engine itself made. */
export function engineFact(type: CelType, needs: Availability, get: Access["get"], set?: ReadSet): Access {
  return { type, needs, get, shown: true, trusted: true, ...(set === undefined ? {} : { set }) };
}
