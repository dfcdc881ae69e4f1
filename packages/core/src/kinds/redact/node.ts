/**
 * One place of an answer, prepared: which types fit, what each member leads to, what is redacted. A node is a set of schemas
 * together with how far each pointer has matched, so projection and redaction are one walk.
 */
import type { RedactAction } from "../../model/policy.js";
import type { NodeBuilder } from "./builder.js";
import type { LayoutWriter, MakeLayoutWriter, Odd } from "./layout-writer.js";
import type { Atom, NamePattern } from "./atom.js";
import { BOOLEAN, INTEGER, NULL, NUMBER, STRING } from "./json-type.js";
import type { Written } from "../../lib/json-writer.js";
import { ScanPlan } from "./scan-plan.js";
import type { Progress } from "../../lib/pointer-set.js";
import type { Union } from "./union.js";

/** An action, and the condition under which it is taken. */
export interface NodeAction {
  readonly action: RedactAction;
  /** Index into what was evaluated for this answer; -1: always. */
  readonly condition: number;
  /** JSON Pointer of the rule. */
  readonly rule: string;
}

export interface Choice {
  readonly union: Union;
  /** By branch, made at first use. */
  readonly nodes: Step[];
}

/** Undefined stands for what does not leave. */
export type Step = Node | undefined;

/** A constructor of empty plain objects. */
type PlainObject = new () => Record<string, unknown>;

/**
 * Engines lay objects out by their constructor. With one of its own a node's objects get the room that they need at once, where
 * `{}` grows with every member: that is a third of the cost of projecting.
 */
function plainObject(): PlainObject {
  const constructor = function () {};
  constructor.prototype = Object.prototype;
  return constructor as unknown as PlainObject;
}

export class Node {
  /** Types that leave as they are, without another look. */
  readonly plain: number;
  /** Redacted, or of several shapes. */
  readonly special: boolean;
  /** Makes what is left of an object. */
  readonly Left: PlainObject = plainObject();
  #members: MemberPlan | undefined;
  #items: ItemPlan | undefined;
  #scanned: ScanPlan | undefined;

  constructor(
    private readonly builder: NodeBuilder,
    /** Everything that holds here, those included that declare nothing. */
    readonly all: readonly Atom[],
    /** Those that say what leaves. */
    readonly atoms: readonly Atom[],
    readonly unions: readonly Union[],
    readonly progress: Progress,
    /** Types that fit. */
    readonly types: number,
    /** Strictest first. */
    readonly actions: readonly NodeAction[],
    readonly choice: Choice | undefined,
  ) {
    const leaves = STRING | NUMBER | BOOLEAN | NULL;
    this.special = actions.length > 0 || choice !== undefined;
    this.plain = actions.length > 0 || choice !== undefined ? 0 : types & leaves;
  }

  /** Where the shape was declared, for reports. */
  get at(): string {
    return this.atoms[0]?.at ?? this.choice?.union.at ?? "";
  }

  // Made when an answer first gets here: recursive schemas end, and start-up does not pay for routes that nobody calls.
  get members(): MemberPlan {
    return (this.#members ??= new MemberPlan(this.builder, this));
  }

  get items(): ItemPlan {
    return (this.#items ??= this.builder.itemsOf(this));
  }

  get scanned(): ScanPlan {
    return (this.#scanned ??= new ScanPlan(this, this.builder.makers?.scanner));
  }

  /** No member leaves that no schema names. */
  get isClosed(): boolean {
    return this.atoms.every(
      ({ kind, patterns, additional }) => kind !== "any" && patterns.length === 0 && additional === undefined,
    );
  }

  branch(choice: Choice, index: number): Step {
    return (choice.nodes[index] ??= this.builder.branchOf(this, choice.union, index));
  }
}

/** Beyond this many members names are data rather than structure, and remembering them would only hold memory. */
const REMEMBERED = 64;

/** Objects of one place with more layouts than this are written member by member. */
const MOST_WRITERS = 4;
/** So many walks with the same members make it worth while to make code. */
const ALIKE = 3;

/** Which node each member of an object leads to. */
export class MemberPlan {
  /**
   * Objects of one kind have their members in one order: what stood at a place in the last object is guessed to stand there in the
   * next, which saves the look-up.
   */
  readonly guessedNames: string[] = [];
  readonly guessedSteps: Step[] = [];
  /** As they are written. */
  readonly guessedKeys: (Written | undefined)[] = [];
  /** Code for the layouts that were met most. */
  readonly writers: LayoutWriter[] = [];
  /** Declared by name, or named by a pointer. */
  readonly named: ReadonlyMap<string, Step>;
  readonly #patterns: readonly NamePattern[];
  /** By the patterns that a name fits. */
  readonly #fitting = new Map<string, Step>();
  /** Walks since a guess was wrong. */
  #alike = 0;
  /** Undefined: no code can be made, or none may be. */
  #make: MakeLayoutWriter | undefined;

  constructor(
    private readonly builder: NodeBuilder,
    private readonly node: Node,
  ) {
    this.#make = builder.makers?.writer;
    this.named = builder.namedMembers(node);
    this.#patterns = node.atoms.flatMap((atom) => atom.patterns);
  }

  /** @param index the how-manieth member it is, to be guessed next time */
  find(name: string, index: number): Step {
    const step = this.named.has(name) ? this.named.get(name) : this.#unnamed(name);
    this.#alike = 0;
    if (index < REMEMBERED) {
      this.guessedNames[index] = name;
      this.guessedSteps[index] = step;
      this.guessedKeys[index] = undefined;
    }
    return step;
  }

  /**
   * An object was written. Of several with one layout the next is written by code.
   * @param count of its members
   * @param whole it was all of an answer
   */
  walked(count: number, whole: boolean, odd: Odd): void {
    const make = this.#make;
    if (make === undefined || this.#alike++ !== ALIKE || this.writers.length >= MOST_WRITERS) return;
    const names = this.guessedNames.slice(0, count);
    const steps = this.guessedSteps.slice(0, count);
    if (count === 0 || count > REMEMBERED) return;
    if (!names.every((name, index) => this.#comesIntoCode(name, steps[index]))) return;
    const writer = make({ names, steps, whole }, odd);
    // What the process forbids once it forbids always, and to be told so is dear.
    if (writer === undefined) this.#make = undefined;
    else this.writers.push(writer);
  }

  /** No name of the data comes into code, and none that would set a prototype there. */
  #comesIntoCode(name: string, step: Step): boolean {
    return step === undefined || (this.named.has(name) && name !== "__proto__");
  }

  #unnamed(name: string): Step {
    const fitting = this.#patterns.filter((pattern) => pattern.test(name));
    const key = fitting.map(({ source }) => source).join("\n");
    if (this.#fitting.has(key)) return this.#fitting.get(key);
    const step = this.builder.memberOf(this.node, undefined, fitting);
    this.#fitting.set(key, step);
    return step;
  }
}

/** Which node each item of a list leads to. */
export interface ItemPlan {
  /** Those before `rest`, one by one. */
  readonly head: readonly Step[];
  /** Named by a pointer, beyond the head. */
  readonly named: ReadonlyMap<number, Step>;
  readonly rest: Step;
  /** Places have meanings: what does not leave is `null` there, so that the others stay where they are. */
  readonly tuple: boolean;
}

/** A number that fits without a fraction fits only as an integer. */
export function isPlainNumber(node: Node, value: number): boolean {
  return (node.plain & NUMBER) === NUMBER
    ? Number.isFinite(value)
    : (node.plain & INTEGER) !== 0 && Number.isInteger(value);
}
