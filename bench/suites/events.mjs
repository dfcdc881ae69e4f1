// What it costs to tell of a decision: nobody, a channel with and without somebody who listens, and lines in a file.
import { strict as assert } from "node:assert";
import { subscribe } from "node:diagnostics_channel";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEngine, sampleDecisions } from "@gatehouse/core";
import { decisionChannel, jsonLines } from "@gatehouse/core/node";
import { assertDecision, decide, request } from "../lib/requests.mjs";
import { sideBySide } from "../lib/side-by-side.mjs";

const POLICY = {
  gatehouse: 1,
  name: "bench-events",
  transport: { https: "off" },
  defaults: { authenticate: "none" },
  routes: { "GET /things/:id": {} },
};
const NONE = "nobody";

export const title = "Events of decisions";

export async function run({ short }) {
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-bench-events-"));
  // As many as a server that is flooded lets wait: where the file is slower than the loop, the rest is dropped, as there.
  const log = await jsonLines({ file: join(folder, "decisions.jsonl"), onProblem: () => undefined });
  let heard = 0;
  subscribe("bench.heard", () => void (heard += 1));
  const sinks = {
    [NONE]: [],
    "a channel without listeners": [decisionChannel("bench.unheard")],
    "a sample of 1 % on a channel": [sampleDecisions(decisionChannel("bench.heard"), { admit: 0.01 })],
    "a channel with a listener": [decisionChannel("bench.heard")],
    "JSON lines in a file": [log],
  };
  const raw = request("GET", "/things/7");
  const contenders = [];
  for (const [name, list] of Object.entries(sinks)) {
    const engine = await createEngine(POLICY, { sinks: list });
    assertDecision(decide(engine, raw), "admit");
    // Lines are written between turns: one that waits its turn pays for its own.
    const run = list.includes(log)
      ? async (index) => {
          decide(engine, raw);
          if (index % 512 === 0) await log.flush();
        }
      : () => decide(engine, raw);
    contenders.push({ name, run });
  }
  const seen = await sideBySide(contenders, { short });
  assert.ok(heard > 0);
  await log.close();
  const { written, dropped } = log.status;
  assert.ok(written > 0);
  rmSync(folder, { recursive: true });
  return {
    tables: [
      {
        caption: "One decision on an open route, and what telling of it adds (CPU time)",
        columns: ["told to", "ns", "adds, ns"],
        rows: seen.names.map((name) => [
          name,
          seen.ns(name).toFixed(0),
          name === NONE ? "" : seen.added(name, NONE).toFixed(0),
        ]),
      },
    ],
    targets: [],
    notes: [
      `Of ${written + dropped} lines ${dropped} were dropped. The wait for a turn, which every call in the file's row pays here, is part of it.`,
    ],
  };
}
