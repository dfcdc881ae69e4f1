/** What the scan of a text knows of a node: which of its values can be stepped through, and where each member leads. */
import { unitsOf } from "../../lib/json-steps.js";
import { ARRAY, OBJECT } from "./json-type.js";
import type { Node, Step } from "./node.js";

/** Bits of one number say which members an object had already. */
const MOST_MEMBERS = 31;

/** Beyond this many members names are data rather than structure, and remembering them would only hold memory. So it is with long ones. */
const REMEMBERED = 64;
const REMEMBERED_LENGTH = 64;

/** A member by its name. */
export interface Member {
  /** Code units of what stands in the text: the name, its quotes and the colon. Empty where it is not to be looked for. */
  readonly written: readonly number[];
  /** How many of them there are. */
  readonly length: number;
  readonly step: Step;
  /** Bit of its own; 0 for one that does not leave, however often it is written. */
  readonly bit: number;
}

export class ScanPlan {
  /** Every member that leaves is declared by name, and leaves at the place where it is written. */
  readonly members: boolean;
  /** All items lead to one node. */
  readonly items: boolean;
  /** What stood at a place in the last object is guessed to stand there in the next. */
  readonly guessed: Member[] = [];
  readonly #named = new Map<string, Member>();

  constructor(node: Node) {
    const named = [...((node.types & OBJECT) === 0 ? [] : node.members.named)];
    const leaving = named.filter(([, step]) => step !== undefined);
    this.members =
      node.isClosed && leaving.length <= MOST_MEMBERS && !leaving.some(([name]) => isMisplaced(name));
    this.items = (node.types & ARRAY) !== 0 && node.items.head.length === 0 && node.items.named.size === 0;
    for (const [index, [name, step]] of leaving.entries()) this.#add(name, step, 1 << index);
  }

  /** @param index the how-manieth member it is, to be guessed next time */
  find(name: string, index: number): Member {
    const declared = this.#named.get(name);
    if (index >= REMEMBERED || (declared === undefined && name.length > REMEMBERED_LENGTH))
      return declared ?? passing(name);
    return (this.guessed[index] = declared ?? memberOf(name, undefined, 0));
  }

  #add(name: string, step: Step, bit: number): void {
    this.#named.set(name, memberOf(name, step, bit));
  }
}

function memberOf(name: string, step: Step, bit: number): Member {
  const written = unitsOf(`"${name}":`);
  return { written, length: written.length, step, bit };
}

const NOTHING: readonly number[] = [];

/** One that does not leave and is not remembered: names that are data may be many, and long. */
function passing(name: string): Member {
  return { written: NOTHING, length: name.length + '"":'.length, step: undefined, bit: 0 };
}

/** Objects have their indices first, whatever the text says; and `written` is a name's only spelling but for those with escapes. */
function isMisplaced(name: string): boolean {
  return /^[0-9]+$/u.test(name) || JSON.stringify(name) !== `"${name}"`;
}
