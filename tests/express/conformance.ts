/** Every case of the core's, over real sockets, on one version of express, however a handler writes its answer. */
import { describeWays } from "../servers/conformance.js";
import { expressTarget } from "./target.js";
import { versionOf } from "./versions.js";

export function describeConformance(major: 4 | 5): void {
  const { name, express } = versionOf(major);
  const way = (written: "json" | "send" | "end" | "pipe") => expressTarget(name, express, written);
  describeWays(way("json"), way("send"), way("end"), way("pipe"));
}
