/** What the scan of a text knows of a node: which of its values can be stepped through, and where each member leads. */
import type { JsonBytes } from "../../lib/json-bytes.js";
import { utf8 } from "../../lib/bytes.js";
import { ARRAY, OBJECT } from "./json-type.js";
import type { Node, Step } from "./node.js";
import type { MakeMemberScanner, MemberScanner } from "./scan-code.js";

/** Bits of one number say which members an object had already. */
const MOST_MEMBERS = 31;

/** Beyond this many members names are data rather than structure, and remembering them would only hold memory. So it is with long ones. */
const REMEMBERED = 64;
const REMEMBERED_LENGTH = 64;

/** So many objects with the same members make it worth while to make code. */
const ALIKE = 3;
/** Of an object that is written in ever other orders code is of no use. */
const MOST_CODES = 4;

/** A member by its name. */
export interface Member {
  /** What stands in the text: the name, its quotes and the colon. Four bytes in each, of which the last may overlap. Empty: not to be looked for. */
  readonly words: readonly number[];
  /** Where the last of them begins. */
  readonly last: number;
  /** In bytes. */
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
  /** For objects as they were written lately. */
  code: MemberScanner | undefined = undefined;
  readonly #named = new Map<string, Member>();
  /** Objects since a guess was wrong. */
  #alike = 0;
  /** How often code may still be made. */
  #left = MOST_CODES;

  constructor(
    node: Node,
    private readonly make: MakeMemberScanner | undefined,
  ) {
    const named = [...((node.types & OBJECT) === 0 ? [] : node.members.named)];
    const leaving = named.filter(([, step]) => step !== undefined);
    this.members =
      node.isClosed && leaving.length <= MOST_MEMBERS && !leaving.some(([name]) => isMisplaced(name));
    this.items = (node.types & ARRAY) !== 0 && node.items.head.length === 0 && node.items.named.size === 0;
    for (const [index, [name, step]] of leaving.entries()) this.#add(name, step, 1 << index);
  }

  /**
   * @param index the how-manieth member it is, to be guessed next time
   * @param length of what stands in the text
   */
  find(name: string, index: number, length: number): Member {
    const declared = this.#named.get(name);
    this.#alike = 0;
    if (index >= REMEMBERED || (declared === undefined && name.length > REMEMBERED_LENGTH))
      return declared ?? passing(length);
    return (this.guessed[index] = declared ?? memberOf(name, undefined, 0));
  }

  /**
   * An object was stepped through member by member. Several that are alike are worth code.
   * @param count of its members
   */
  scanned(node: Node, count: number): void {
    if (this.make === undefined || this.#left === 0 || this.#alike++ !== ALIKE || count > REMEMBERED) return;
    this.#left--;
    this.code = this.make(node, this.guessed.slice(0, count));
  }

  #add(name: string, step: Step, bit: number): void {
    this.#named.set(name, memberOf(name, step, bit));
  }
}

function memberOf(name: string, step: Step, bit: number): Member {
  const written = utf8(`"${name}":`);
  const { length } = written;
  const view = new DataView(written.buffer, written.byteOffset, length);
  const words: number[] = [];
  const last = length - 4;
  for (let at = 0; at < last; at += 4) words.push(view.getInt32(at));
  // The empty name is too short for one.
  if (last >= 0) words.push(view.getInt32(last));
  return { words, last, length, step, bit };
}

const NOTHING: readonly number[] = [];

/** One that does not leave and is not remembered: names that are data may be many, and long. */
function passing(length: number): Member {
  return { words: NOTHING, last: 0, length, step: undefined, bit: 0 };
}

export function stands({ view }: JsonBytes, at: number, { words, last }: Member): boolean {
  const final = words.length - 1;
  if (final < 0 || at + last + 4 > view.byteLength || view.getInt32(at + last) !== words[final]) return false;
  for (let index = 0; index < final; index++) {
    if (view.getInt32(at + index * 4) !== words[index]) return false;
  }
  return true;
}

/**
 * Objects have their indices first, whatever the text says; `written` is a name's only spelling but for those with escapes; and half a
 * surrogate pair is U+FFFD in bytes.
 */
function isMisplaced(name: string): boolean {
  return /^[0-9]+$/u.test(name) || name.includes("\ufffd") || JSON.stringify(name) !== `"${name}"`;
}
