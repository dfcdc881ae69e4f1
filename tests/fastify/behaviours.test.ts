/** The behaviours of real servers, on fastify with the plugin first. */
import { describeServer } from "../servers/behaviours.js";
import { start } from "./turn.js";

describeServer("fastify", start);
