/** `gatehouse doctor`: which address, scheme and host the engine sees, and why. */
import type { Command } from "../cli/command.js";
import { CAPTURED } from "../explain/captured.js";
import { DEFAULT_IP } from "../explain/request.js";
import { PROXY_NAMES } from "./names.js";

export const doctorCommand: Command = {
  name: "doctor",
  summary: "which address, scheme and host the engine sees behind proxies, why, and what to change",
  usage: [
    "[POLICY] --peer ADDRESS -H 'X-Forwarded-For: …' [options]",
    "[POLICY] --peer ADDRESS --curl 'curl …' [options]",
    "[POLICY] --peer ADDRESS --har FILE [--entry N] [options]",
    "--proxy NAME",
  ],
  operands: { least: 0, most: 1, what: "a policy file" },
  about:
    "Give the request as it arrives at the server: what its socket's peer is, and the header fields that proxies added. It is read by the engine's own code, without a server. " +
    "Told are each hop and whether it is trusted, where scheme and host come from, what a caller could make the engine believe, and what to change in the policy or the proxy. " +
    "No key of the policy is needed. Exits with 1 where something should be changed. Without a file it is gatehouse.policy.jsonc of the current folder.",
  options: {
    peer: {
      type: "text",
      value: "ADDRESS",
      help: `Address of the socket's peer: the nearest proxy; unix for a Unix socket. Default ${DEFAULT_IP}.`,
    },
    header: { type: "text", short: "H", value: "'NAME: VALUE'", multiple: true, help: "May be repeated." },
    url: {
      type: "text",
      value: "URL",
      help: "As the server is asked: behind a proxy that ends TLS it is `http:`. A path is asked for over HTTPS. Default `/`.",
    },
    ...CAPTURED,
    plain: {
      type: "flag",
      help: "The socket is plain HTTP, whatever the URL says: a proxy in front ends TLS.",
    },
    proxy: {
      type: "text",
      value: "NAME",
      choices: PROXY_NAMES,
      help: "What to write for this proxy, in the policy and in its own configuration.",
    },
    json: { type: "flag", help: "The findings as JSON, for programs." },
  },
  examples: [
    "gatehouse doctor policy.jsonc --peer 10.0.0.5 --url http://api.example.com/ -H 'X-Forwarded-For: 203.0.113.9' -H 'X-Forwarded-Proto: https'",
    'gatehouse doctor policy.jsonc --peer 10.0.0.5 --plain --curl "curl https://api.example.com/orders"',
    "gatehouse doctor --proxy nginx",
  ],
  run: async (input, io) => (await import("./run.js")).runDoctor(input, io),
};
