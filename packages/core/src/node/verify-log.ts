/** Is a chained log still what was written? */
import { keyVerifiers } from "../change/bundle.js";
import type { BundleKey } from "../index.js";
import { decodeBase64Url } from "../lib/base64url.js";
import { canonicalJson } from "../lib/canonical-json.js";
import type { SignatureVerifier } from "../ports/platform.js";
import { HEAD_TYPE, hashOf, type SignedHead } from "./log-chain.js";

export interface LogFault {
  /** From 1, over all that was read. */
  readonly line: number;
  /**
   * `unreadable`: no line that a log writes. `removed`: lines are missing before it. `reordered`: it stood elsewhere, or twice. `changed`:
   * it, or the line before it, is not what was written. `forged`: a head whose signature does not hold. `cut`: the log begins in the middle.
   */
  readonly kind: "unreadable" | "removed" | "reordered" | "changed" | "forged" | "cut";
  readonly message: string;
}

export interface LogVerdict {
  readonly lines: number;
  readonly decisions: number;
  /** What the log itself says was lost. */
  readonly dropped: number;
  readonly faults: readonly LogFault[];
  /** Lines that a signed head vouches for. */
  readonly sealed: number;
  /** Lines behind the last head: what is changed there, or cut off, nobody can tell. */
  readonly unsealed: number;
  /** The last head says that nothing follows. Otherwise lines may have been cut off behind a head. */
  readonly ended: boolean;
  /** The first line goes on from a file that was not given. */
  readonly continues: boolean;
  /** Milliseconds since the epoch, of the last head that holds. */
  readonly sealedAt: number | undefined;
}

/** Beyond this many a log is not tampered with, but no log. */
const MOST_FAULTS = 100;

/**
 * @param lines without their newlines; of several files in the order in which they were written
 * @param keys public keys of which one must have signed each head
 * @throws TypeError (rejects) for a key that is none
 */
export async function verifyLog(
  lines: AsyncIterable<string> | Iterable<string>,
  keys: readonly BundleKey[],
): Promise<LogVerdict> {
  const reading = new Reading(await keyVerifiers(keys));
  for await (const line of lines) await reading.take(line);
  return reading.verdict;
}

type Line = Readonly<Record<string, unknown>>;

/** `jws`, `prev`, `seq` and `type`. */
const HEAD_MEMBERS = 4;

class Reading {
  #line = 0;
  #decisions = 0;
  #dropped = 0;
  #sealed = 0;
  #unsealed = 0;
  #ended = false;
  #continues = false;
  #sealedAt: number | undefined = undefined;
  #chain: unknown = undefined;
  #seq = 0;
  #prev: string | null = null;
  readonly #faults: LogFault[] = [];

  constructor(private readonly verifiers: ReadonlyMap<string, SignatureVerifier>) {}

  get verdict(): LogVerdict {
    return {
      lines: this.#line,
      decisions: this.#decisions,
      dropped: this.#dropped,
      faults: this.#faults,
      sealed: this.#sealed,
      unsealed: this.#unsealed,
      ended: this.#ended,
      continues: this.#continues,
      sealedAt: this.#sealedAt,
    };
  }

  async take(text: string): Promise<void> {
    this.#line += 1;
    const line = lineOf(text);
    if (line === undefined) {
      this.fault("unreadable", "this is no line of a chained log");
      return;
    }
    this.follow(line);
    this.#ended = false;
    this.#unsealed += 1;
    if (line["type"] === "decision") this.#decisions += 1;
    if (line["type"] === "dropped" && typeof line["count"] === "number") this.#dropped += line["count"];
    if (line["type"] === "head") await this.seal(line);
    this.#seq = Number(line["seq"]) + 1;
    this.#prev = hashOf(text);
  }

  /** Each break is told once: what follows is compared with the line as it stands. */
  private follow(line: Line): void {
    const { seq, prev } = line;
    const first = this.#line === 1;
    if (line["type"] === "start") {
      this.#chain = line["chain"];
      if (first) this.#continues = prev !== null;
      else if (prev !== this.#prev)
        this.fault("removed", "what stood before this beginning is gone, or was changed");
      return;
    }
    if (first) {
      this.fault("cut", "the log does not begin with its first line");
      return;
    }
    if (Number(seq) > this.#seq) {
      const missing = Number(seq) - this.#seq;
      this.fault("removed", `${missing} ${missing === 1 ? "line is" : "lines are"} missing before it`);
    } else if (Number(seq) < this.#seq) this.fault("reordered", "it stood elsewhere, or stands here twice");
    else if (prev !== this.#prev) this.fault("changed", "the line before it is not what was written");
  }

  private async seal(line: Line): Promise<void> {
    const head = await this.headOf(line);
    if (typeof head === "string") {
      this.fault("forged", head);
      return;
    }
    this.#sealed += this.#unsealed;
    this.#unsealed = 0;
    this.#ended = head.last;
    this.#sealedAt = head.time;
  }

  private async headOf(line: Line): Promise<SignedHead | string> {
    const { jws, seq, prev } = line;
    // Nothing stands behind the last one that would vouch for the rest of it.
    if (Object.keys(line).length > HEAD_MEMBERS) return "the head says more than it signs";
    const [header = "", payload = "", signature = "", ...more] =
      typeof jws === "string" ? jws.split(".") : [];
    const said = objectOf(header);
    const head = objectOf(payload);
    const bytes = decodeBase64Url(signature);
    const { kid, typ, alg } = said ?? {};
    const verifier = typeof kid === "string" ? this.verifiers.get(kid) : undefined;
    if (more.length > 0 || head === undefined || bytes === undefined) return "the head has no signature";
    if (verifier === undefined) return "the head was signed by another key";
    if (typ !== HEAD_TYPE || alg !== verifier.algorithm) return "the signature was made for something else";
    if (!(await verifier.verify(`${header}.${payload}`, bytes)))
      return "the signature of the head does not hold";
    const fits = head["chain"] === this.#chain && head["seq"] === seq && head["prev"] === prev;
    // What it signs is what stood before it, whatever the line says.
    if (!fits || prev !== this.#prev) return "the head signs other lines than those before it";
    return head as unknown as SignedHead;
  }

  private fault(kind: LogFault["kind"], message: string): void {
    if (this.#faults.length < MOST_FAULTS) this.#faults.push({ line: this.#line, kind, message });
  }
}

/** Only in its one spelling: a second member of one name would be shown by some readers and not by others. */
function lineOf(text: string): Line | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const line = value as Line;
  const { seq, prev } = line;
  const placed = Number.isSafeInteger(seq) && (prev === null || typeof prev === "string");
  return placed && canonicalJson(value) === text ? line : undefined;
}

function objectOf(encoded: string): Line | undefined {
  const bytes = decodeBase64Url(encoded);
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === "object" && value !== null ? (value as Line) : undefined;
  } catch {
    return undefined;
  }
}
