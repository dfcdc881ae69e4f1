/** Hostile requests and hostile handlers, on express 5 and 4. */
import { describeHostile } from "../servers/hostile/conversation.js";
import { starting } from "./turn.js";
import { VERSIONS } from "./versions.js";

for (const { name, express } of VERSIONS) describeHostile(name, starting(express), { raw: "beside" });
