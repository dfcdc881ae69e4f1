/** The behaviours of real servers, on express 5 and 4 with the guard as its first middleware. */
import { describeServer } from "../servers/behaviours.js";
import { starting } from "./turn.js";
import { VERSIONS } from "./versions.js";

for (const { name, express } of VERSIONS) describeServer(name, starting(express));
