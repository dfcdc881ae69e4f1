/** Express 5: the policy's route is the one whose handler runs; and the comparison would notice if it were not. */
import { describe, expect, it } from "vitest";
import { pass } from "@gatehouse/node-http";
import { compareRoutes } from "../servers/differential.js";
import { describeRoutes, start } from "./differential.js";
import { versionOf } from "./versions.js";

describeRoutes(5);

describe("the comparison itself", () => {
  it("finds a guard that matches in another way than its framework", async () => {
    const { express } = versionOf(5);
    const settings = { sensitive: false, strict: false };
    const { disagreements } = await compareRoutes(
      (given) =>
        start(express, 5, settings, given, (app) => {
          const bound = given.engine.bind({ caseSensitive: true, trailingSlash: "significant" });
          const onError = (): void => undefined;
          app.use((req, res, next) => {
            pass(bound, req, res, { responseLimit: 0, onError }, (_req, _res, context) => {
              req.gatehouse = context;
              next();
            });
          });
        }),
      1,
      1000,
    );
    expect(disagreements.some((one) => one.startsWith("`GET%20/admin` ran, and `*%20/*` was decided"))).toBe(
      true,
    );
  });
});
