/**
 * Every case of the core's, over real sockets, through hono and through the guard alone, however a handler writes its answer. What a
 * Request has hidden behind hono is shown by the guard that is told of it.
 */
import { describeAdapter, whyNotOverSockets } from "@gatehouse/core/conformance";
import { describe, it } from "vitest";
import { describeWays } from "../servers/conformance.js";
import { fetchTarget } from "./target.js";

const hono = fetchTarget("hono", "send");

describeWays(hono, fetchTarget("hono", "json"));
describeAdapter(
  fetchTarget("told", "send"),
  { describe, it },
  { only: (one, file) => whyNotOverSockets(file, one, hono) !== undefined },
);
describeWays(fetchTarget("guard", "json"), fetchTarget("guard", "pieces"));
