/** `gatehouse explain`: what becomes of one request, and why. */
import type { Command } from "../cli/command.js";
import { CAPTURED } from "./captured.js";
import { DEFAULT_IP } from "./request.js";

export const explainCommand: Command = {
  name: "explain",
  summary: "what becomes of one request: each stage, what it read, and what would have to change",
  usage: [
    "[POLICY] --url URL [options]",
    "[POLICY] --curl 'curl …' [options]",
    "[POLICY] --har FILE [--entry N] [options]",
  ],
  operands: { least: 0, most: 1, what: "a policy file" },
  about:
    "The request is put to the real engine, without a server. Where it presents a credential, the policy's keys are needed, as a server needs them: secrets come from the environment and from files. " +
    "With --assume-person or --as nobody's keys are needed: a throwaway credential is made. The application's checks are assumed to say yes, and that is told, unless --check says otherwise. " +
    "Exits with 0 where the request is admitted or answered, with 1 where it is refused. Without a file it is gatehouse.policy.jsonc of the current folder.",
  options: {
    method: { type: "text", short: "X", value: "METHOD", help: "Default GET, with --data POST." },
    url: {
      type: "text",
      value: "URL",
      help: "Absolute, or a path, which is then asked for over HTTPS under a host that the policy serves.",
    },
    header: { type: "text", short: "H", value: "'NAME: VALUE'", multiple: true, help: "May be repeated." },
    data: {
      type: "text",
      short: "d",
      value: "TEXT",
      help: "The content; JSON unless a header says otherwise. `@FILE` reads it.",
    },
    ...CAPTURED,
    token: { type: "text", value: "TOKEN", help: "Short for the header `Authorization: Bearer TOKEN`." },
    "assume-person": {
      type: "text",
      value: "JSON",
      help: 'Somebody who is known: `{"id":"ann","roles":["clerk"]}`, with `scopes`, `attributes`, `claims` and `authenticator` as docs/testing.md has them.',
    },
    as: { type: "text", value: "NAME", help: "Somebody of the people of --people." },
    people: { type: "text", value: "FILE", help: "A file of policy tests, for --as." },
    check: {
      type: "text",
      value: "NAME=yes|no",
      multiple: true,
      help: "What a check of the application says. Default: yes, and it is told.",
    },
    ip: { type: "text", value: "ADDRESS", help: `Address of the socket's peer. Default ${DEFAULT_IP}.` },
    at: { type: "text", value: "INSTANT", help: "What the clock says. Default: now." },
    repeat: {
      type: "text",
      value: "N",
      help: "Makes the request so many times and explains the last: for limits.",
    },
    env: {
      type: "text",
      value: "FILE",
      help: "Variables for `env:` secrets, as NAME=VALUE lines; they go before the environment's.",
    },
    json: { type: "flag", help: "The explanation as JSON, for programs." },
  },
  examples: [
    `gatehouse explain policy.jsonc --url /orders/7 --assume-person '{"roles":["clerk"]}'`,
    "gatehouse explain policy.jsonc --curl \"curl https://api.example.com/orders -H 'Accept: application/json'\"",
    "gatehouse explain policy.jsonc --har session.har --entry 3 --as ann --people policy-test.json",
  ],
  run: async (input, io) => (await import("./run.js")).runExplain(input, io),
};
