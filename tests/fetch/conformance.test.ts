/** Every case of the core's, over real sockets, through hono and through the guard alone, however a handler writes its answer. */
import { describeWays } from "../servers/conformance.js";
import { fetchTarget } from "./target.js";

describeWays(fetchTarget("hono", "send"), fetchTarget("hono", "json"));
describeWays(fetchTarget("told", "send"));
describeWays(fetchTarget("guard", "json"), fetchTarget("guard", "pieces"));
