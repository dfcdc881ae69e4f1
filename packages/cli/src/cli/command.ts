/** What a command is: a table of options, help, and what runs. */
import type { Input } from "./input.js";
import type { Io } from "./io.js";

export interface OptionSpec {
  readonly type: "text" | "flag";
  /** Stands for the value in help: `FILE`. */
  readonly value?: string;
  readonly short?: string;
  readonly choices?: readonly string[];
  /** May be given several times. */
  readonly multiple?: true;
  /** What it does, its default, and what happens without it. */
  readonly help: string;
}

export type Options = Readonly<Record<string, OptionSpec>>;

export interface Command {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** What stands behind the name, a line for each form. */
  readonly usage: readonly string[];
  /** Names of what stands behind the name, for those who give too little or too much. */
  readonly operands: { readonly least: number; readonly most: number; readonly what: string };
  readonly about: string;
  readonly options: Options;
  /** Whole command lines. */
  readonly examples: readonly string[];
  /**
   * Resolves to the exit code. What does the work stands in a module of its own (`run.ts`) and is imported here, when it is
   * called: whoever asks for help, or for the words of a command, waits for no engine.
   */
  readonly run: (input: Input, io: Io) => Promise<number>;
}
