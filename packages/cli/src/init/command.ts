/** `gatehouse init`: a first policy and its first tests. */
import type { Command } from "../cli/command.js";

export const initCommand: Command = {
  name: "init",
  summary: "writes a first policy and its tests, from nothing or from an OpenAPI document",
  usage: ["[--force]", "--from-openapi FILE [--force] [--json]"],
  operands: { least: 0, most: 0, what: "options" },
  about:
    "Writes gatehouse.policy.jsonc and gatehouse.policy-test.json into the current folder, and never over a file that is there. " +
    "With --from-openapi the routes, parameters, schemas and security schemes are those of the document (3.0 or 3.1, JSON or YAML); what a person has to decide, and what could not be carried over, is listed and stands as a comment in its place. " +
    "Nothing is fetched: references lead to files below the document's folder or the current one. " +
    "Exits with 1 where no policy that can be served comes of the document; nothing is written then.",
  options: {
    "from-openapi": { type: "text", value: "FILE", help: "An OpenAPI document, 3.0 or 3.1, JSON or YAML." },
    force: { type: "flag", help: "Writes over files that are there." },
    json: {
      type: "flag",
      help: "What was written and what has to be decided as JSON, for programs.",
    },
  },
  examples: ["gatehouse init", "gatehouse init --from-openapi openapi.yaml"],
  run: async (input, io) => (await import("./run.js")).runInit(input, io),
};
