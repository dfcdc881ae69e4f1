/** `gatehouse test`: policy tests, what of the policy they reach, and what they would notice. */
import type { Command } from "../cli/command.js";

export const testCommand: Command = {
  name: "test",
  summary: "runs policy tests; with coverage of the policy's rules, and mutations of them",
  usage: ["[FILE|FOLDER|PATTERN]… [--filter TEXT] [--coverage] [--junit FILE] [--watch]"],
  operands: { least: 0, most: Infinity, what: "files of policy tests" },
  about:
    "Runs `*.policy-test.json` files, by default all below this folder, and shows of each test that fails what differs and the trace of its decision. " +
    "Exits with 0 when all tests pass, with 1 when one fails or a minimum is missed, with 2 when tests cannot be run as they are written.",
  options: {
    filter: {
      type: "text",
      value: "TEXT",
      multiple: true,
      help: "Only tests whose name has TEXT in it, in either case. Given several times: any of them.",
    },
    only: { type: "text", value: "NAME", multiple: true, help: "Only the test of exactly this name." },
    bail: { type: "flag", help: "Stop at the first test that fails." },
    verbose: { type: "flag", short: "v", help: "Name the tests that pass, too." },
    coverage: {
      type: "flag",
      help: "Which rules of the policy the tests reach, and which they do not, with their places.",
    },
    "coverage-min": {
      type: "text",
      value: "PERCENT",
      help: "Exit with 1 below this share of covered points. Implies --coverage.",
    },
    mutate: {
      type: "flag",
      help: "Change one thing of the policy after the other, and tell which changes no test notices, each with a request that would have.",
    },
    "mutate-min": {
      type: "text",
      value: "PERCENT",
      help: "Exit with 1 below this share of changes that are noticed. Implies --mutate.",
    },
    suggest: {
      type: "text",
      value: "FILE",
      help: "Write those requests as a new file of tests, or to the standard output for `-`. Implies --mutate.",
    },
    "no-requests": {
      type: "flag",
      help: "With --mutate: do not look for requests, which takes longest where much survives.",
    },
    jobs: { type: "text", value: "N", help: "Threads for --mutate. Default: one for each processor." },
    junit: { type: "text", value: "FILE", help: "Write JUnit XML besides, for CI systems." },
    json: { type: "flag", help: "Print all of it as JSON." },
    watch: { type: "flag", help: "Run again whenever a test, its policy or a file that it names changes." },
  },
  examples: [
    "gatehouse test",
    "gatehouse test policies/ --coverage-min 90",
    "gatehouse test orders.policy-test.json --filter tenant --watch",
    "gatehouse test --junit reports/policy.xml",
  ],
  run: async (input, io) => (await import("./run.js")).runTests(input, io),
};
