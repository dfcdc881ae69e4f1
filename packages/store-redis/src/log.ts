/**
 * Logs on the server. Nothing is sent twice here either, although it could be: whoever appends again what may have been appended has it
 * there twice, and what is revoked twice is revoked. So a failure is told, and the caller repeats what it wants to be sure of.
 */
import type { CallContext, LogPage, StateLog } from "@gatehouse/core";
import type { Time } from "./clock.js";
import type { Link } from "./link.js";
import { APPEND, READ } from "./scripts/log.js";
import { unreadable } from "./wire.js";

/** Few enough that a server which limits of requests wait for is not held up. */
const PAGE = 256;

export class RedisLog implements StateLog {
  constructor(
    private readonly link: Link,
    private readonly prefix: string,
    private readonly time: Time,
  ) {}

  async append(log: string, value: Uint8Array, ttlUs: number, { deadlineUs }: CallContext): Promise<void> {
    const values = [this.time.server(), String(ttlUs), Buffer.from(value).toString("base64")];
    // The link is not told of this deadline: for one that nobody's request waits for, it would wait longer before it connects anew.
    const key = this.#keyOf(log);
    await this.link.run({ script: APPEND, keys: [key, `${key}!`], values }, deadlineUs, (reply) => {
      if (reply !== 1) throw unreadable();
    });
  }

  read(log: string, after: string | undefined, { deadlineUs }: CallContext): Promise<LogPage> {
    const [id = "", ends = ""] = (after ?? "").split(" ");
    const values = [this.time.server(), id, ends, String(PAGE)];
    const key = this.#keyOf(log);
    return this.link.run({ script: READ, keys: [key, `${key}?`], values }, deadlineUs, pageIn);
  }

  /** What stands behind its tag lies in the same slot. */
  #keyOf(log: string): string {
    return `${this.prefix}log:{.${log}}`;
  }
}

/** @throws StoreError where it is no answer */
function pageIn(reply: unknown): LogPage {
  if (!Array.isArray(reply)) throw unreadable();
  const [id, ends, more, ...texts] = reply as readonly unknown[];
  if (typeof id !== "string" || typeof ends !== "string" || (more !== 0 && more !== 1)) throw unreadable();
  const entries = texts.map((text) => {
    if (typeof text !== "string") throw unreadable();
    return new Uint8Array(Buffer.from(text, "base64"));
  });
  return { entries, cursor: id === "" ? "" : `${id} ${ends}`, more: more === 1 };
}
