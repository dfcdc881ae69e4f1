/** Answers under a body rule as every adapter gives them, in hono and through the guard alone. What is the connection's is the server's own. */
import { describe } from "vitest";
import { describeAnswers } from "../servers/answers.js";
import { describeEvents } from "../servers/events.js";
import { suiteOf } from "../servers/suite.js";
import { alone, inHono } from "./turn.js";

describe("hono: answers under a body rule", () => {
  describeAnswers(suiteOf(inHono, {}));
});

describe("the guard alone: answers under a body rule", () => {
  describeAnswers(suiteOf(alone, { compression: "nothing stands before the guard" }));
});

describe("hono: streams of events", () => {
  describeEvents(suiteOf(inHono, {}));
});

describe("the guard alone: streams of events", () => {
  describeEvents(suiteOf(alone, { compression: "nothing stands before the guard" }));
});
