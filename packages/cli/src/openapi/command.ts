/** `gatehouse openapi`: what a policy enforces, as OpenAPI; and how far a team's own description is from it. */
import type { Command } from "../cli/command.js";

export const openapiCommand: Command = {
  name: "openapi",
  summary: "an OpenAPI 3.1 description of what a policy enforces, and how far another has drifted from it",
  usage: ["[POLICY] [--plain] [--api-version TEXT]", "[POLICY] --drift FILE [--json]"],
  operands: { least: 0, most: 1, what: "a policy file" },
  about:
    "Writes paths, parameters, bodies, answers, refusals and security schemes. What OpenAPI has no word for (conditions, roles, limits, bounds) stands under `x-gatehouse`, which --plain leaves out. " +
    "With --drift a description of your own (3.0 or 3.1, JSON or YAML) is compared with it: where the policy is stricter, looser, or cannot be compared. Exits with 0 where there is no difference, with 1 where there is one. " +
    "Nothing is fetched. Without a policy it is gatehouse.policy.jsonc of the current folder.",
  options: {
    drift: { type: "text", value: "FILE", help: "A description to compare with." },
    plain: { type: "flag", help: "Leaves `x-gatehouse` out: for a document that strangers read." },
    "api-version": {
      type: "text",
      value: "TEXT",
      help: "`info.version`, which OpenAPI asks for and a policy does not have. Default 0.0.0.",
    },
    json: { type: "flag", help: "Differences as JSON, for programs. The description is JSON anyhow." },
  },
  examples: ["gatehouse openapi > openapi.json", "gatehouse openapi policy.jsonc --drift docs/openapi.yaml"],
  run: async (input, io) => (await import("./run.js")).runOpenApi(input, io),
};
