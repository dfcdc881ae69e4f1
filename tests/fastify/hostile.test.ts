/** Hostile requests and hostile handlers, on fastify. */
import { describeHostile } from "../servers/hostile/conversation.js";
import { start } from "./turn.js";

describeHostile("fastify", start, { raw: "instead" });
