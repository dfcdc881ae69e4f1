/** Every case of the core's, over real sockets, through hono and through the guard alone, however a handler writes its answer. */
import { describeWays } from "../servers/conformance.js";
import { fetchTarget } from "./target.js";

describeWays(fetchTarget("hono", "send"), fetchTarget("hono", "json"));
// What the guard is told of the target differs, not what is built.
if (process.env["GATEHOUSE_DIST"] !== "1") describeWays(fetchTarget("told", "send"));
describeWays(fetchTarget("guard", "json"), fetchTarget("guard", "pieces"));
