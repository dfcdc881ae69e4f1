/** Where lines end up: a file that is appended to, or one of the process's own streams. */
import { open, type FileHandle } from "node:fs/promises";
import { NO_TAIL, tailOf, type Tail } from "./last-line.js";

export interface LogTarget {
  /** Rejects when not all of it was taken; `cut`: a part of it was. */
  write(text: string): Promise<void>;
  /** Resolves when what was written survives the machine. */
  sync(): Promise<void>;
  /** The same name again: another program has moved the file away. */
  reopen(): Promise<void>;
  /** How what is there ends. */
  tail(): Promise<Tail>;
  close(): Promise<void>;
}

/** A part of a line stands at the end. */
export class CutLineError extends Error {
  override readonly name = "CutLineError";
}

export class FileTarget implements LogTarget {
  private constructor(
    private readonly path: string,
    private file: FileHandle,
  ) {}

  /** Only its owner may read a file that is made here. */
  static async at(path: string): Promise<FileTarget> {
    return new FileTarget(path, await open(path, "a+", 0o600));
  }

  async write(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    let written = 0;
    try {
      while (written < bytes.length) {
        const { bytesWritten } = await this.file.write(bytes, written, bytes.length - written);
        written += bytesWritten;
      }
    } catch (error) {
      if (written === 0) throw error;
      throw new CutLineError("the disk took only a part", { cause: error });
    }
  }

  sync(): Promise<void> {
    return this.file.datasync();
  }

  /** The new file is open before the old one is let go: where it cannot be opened, the old one goes on. */
  async reopen(): Promise<void> {
    const next = await open(this.path, "a+", 0o600);
    const before = this.file;
    this.file = next;
    await before.close();
  }

  tail(): Promise<Tail> {
    return tailOf(this.file);
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

export class StreamTarget implements LogTarget {
  readonly #unheard = (): void => undefined;

  constructor(private readonly stream: NodeJS.WriteStream) {
    // A closed pipe is told to whoever writes; without a listener it would end the process.
    stream.on("error", this.#unheard);
  }

  write(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.stream.write(text, (error) => {
        if (error === undefined || error === null) resolve();
        else reject(error);
      });
    });
  }

  sync(): Promise<void> {
    return Promise.resolve();
  }

  reopen(): Promise<void> {
    return Promise.resolve();
  }

  tail(): Promise<Tail> {
    return Promise.resolve(NO_TAIL);
  }

  close(): Promise<void> {
    this.stream.off("error", this.#unheard);
    return Promise.resolve();
  }
}
