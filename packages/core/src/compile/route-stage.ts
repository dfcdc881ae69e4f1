/** 404 and 405: what the stage `route` says where matching found nothing. */
import type { Stage } from "../model/compiled.js";
import type { Refusal } from "../model/outcome.js";

const NOT_FOUND: Refusal = {
  kind: "refusal",
  code: "not-found",
  reason: "no route of the policy has this path",
  rule: "/routes",
};

export const routeStage: Stage = {
  at: "route",
  rule: "/routes",
  run: ({ allowedMethods }) => {
    if (allowedMethods.length === 0) return NOT_FOUND;
    return {
      kind: "refusal",
      code: "method-not-allowed",
      // RFC 9110 section 15.5.6: a 405 must carry Allow.
      headers: [["Allow", allowedMethods.join(", ")]],
      reason: "no route of the policy has this method at this path",
      rule: "/routes",
    };
  },
};
