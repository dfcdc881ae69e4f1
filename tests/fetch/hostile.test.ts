/** Hostile requests and hostile handlers, on hono's own server for Node. */
import { describeHostile } from "../servers/hostile/conversation.js";
import { alone, inHono } from "./turn.js";

describeHostile("hono", inHono, { raw: false });
describeHostile("the guard alone", alone, { raw: false });
