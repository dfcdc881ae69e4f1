/** Sanitizing HTML on Node: on this thread where it is quick, on a worker where it is not. */
import { availableParallelism } from "node:os";
import { isPlain } from "../lib/html-vocabulary.js";
import type { HtmlBounds, HtmlResult, HtmlSanitizer, HtmlText } from "../ports/html-sanitizer.js";
import { type HtmlCleaner, refused, tooLong } from "./html-cleaner.js";
import { HtmlPool, type HtmlPoolSettings } from "./node-html-pool.js";
import { cleanerFor, loadPeers } from "./node-html-realm.js";
import { WORKER } from "./node-html-worker.gen.js";

/** Sanitized on this thread: some 5 ms of it. Nodes cost a DOM more than characters do. */
const CHARACTERS_HERE = 4_000;
const NODES_HERE = 60;

let proved: HtmlCleaner | undefined;

/** One DOM for all engines of the process, proved once. @throws HtmlSanitizerError (rejects) */
export async function openNodeHtml(): Promise<HtmlSanitizer> {
  const from = import.meta.url;
  proved ??= cleanerFor(loadPeers(from));
  return sanitizerWith(proved, from);
}

/** @param from URL of a module beside which the peers are installed */
export function sanitizerWith(
  cleaner: HtmlCleaner,
  from: string,
  settings?: Partial<HtmlPoolSettings>,
): HtmlSanitizer {
  const pool = new HtmlPool({
    source: WORKER,
    from,
    workers: Math.max(1, Math.min(4, availableParallelism() - 1)),
    waiting: 64,
    startMs: 20_000,
    waitMs: 5_000,
    jobMs: 2_000,
    ...settings,
  });
  return new NodeHtml(cleaner, pool);
}

class NodeHtml implements HtmlSanitizer {
  constructor(
    private readonly cleaner: HtmlCleaner,
    private readonly pool: HtmlPool,
  ) {}

  clean(texts: readonly HtmlText[], bounds: HtmlBounds): HtmlResult | Promise<HtmlResult> {
    const long = tooLong(texts, bounds);
    if (long.length > 0) return refused(long);
    let characters = 0;
    for (const { html } of texts) if (!isPlain(html)) characters += html.length;
    if (characters > CHARACTERS_HERE) return this.pool.run(texts, bounds);
    const weight = this.cleaner.weigh(texts, bounds);
    if (typeof weight !== "number") return refused(weight);
    return weight > NODES_HERE ? this.pool.run(texts, bounds) : this.cleaner.clean(texts);
  }

  cleanHere(texts: readonly HtmlText[], bounds: HtmlBounds): HtmlResult {
    return this.cleaner.weighAndClean(texts, bounds);
  }

  close(): Promise<void> {
    return this.pool.close();
  }
}
