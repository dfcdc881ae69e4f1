/** Hostile requests and hostile handlers, on the guard that owns its server. */
import { createServer } from "node:http";
import { describeHostile } from "../servers/hostile/conversation.js";
import { starting } from "./turn.js";

describeHostile(
  "node:http",
  starting((_start, guarded) => guarded.attach(createServer({ requireHostHeader: false }))),
  { raw: "beside" },
);
