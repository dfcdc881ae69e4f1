/**
 * What real servers do beside requests and answers: expectations, trailers, ranges, compression, pipelining, connections that are kept,
 * clients that leave. One list for every adapter on Node; each adapter's own test says how its server is started.
 */
import { describe } from "vitest";
import { describeAnswers } from "./answers.js";
import { describeBodies } from "./bodies.js";
import { describeConnections } from "./connections.js";
import { describeEvents } from "./events.js";
import { describeExpectations } from "./expectations.js";
import { describeFailures } from "./failures.js";
import { suiteOf, type ServerLacks, type StartServer } from "./suite.js";
import { describeTargets } from "./targets.js";
import { describeTrailers } from "./trailers.js";
import { describeUpgrades } from "./upgrades.js";

const GROUPS = [
  ["Expect", describeExpectations],
  ["bodies", describeBodies],
  ["trailers and 1xx", describeTrailers],
  ["answers under a body rule", describeAnswers],
  ["streams of events", describeEvents],
  ["targets and methods", describeTargets],
  ["connections", describeConnections],
  ["handlers that fail", describeFailures],
  ["upgrades", describeUpgrades],
] as const;

/** @param lacks what the server cannot show, each with its reason */
export function describeServer(name: string, start: StartServer, lacks: ServerLacks = {}): void {
  const suite = suiteOf(start, lacks);
  describe.each(GROUPS)(`${name}: %s`, (_name, group) => {
    group(suite);
  });
}
