/** `gatehouse probe`: whether a running server does what its policy says. */
import type { Command } from "../cli/command.js";
import { AREAS, DEFAULTS, PROBE_FORMATS } from "./choices.js";

export const probeCommand: Command = {
  name: "probe",
  summary: "asks a running server what its policy refuses and admits, and reports where they differ",
  usage: ["URL [--policy FILE] [options]"],
  operands: { least: 1, most: 1, what: "the URL of a server" },
  about:
    "Sends requests to the server, and holds each answer against what the engine says of it under the policy: status, code, header fields, members of the body. " +
    "Only a server of this machine is asked, unless --allow-host names another. Nothing is followed, and no credential is ever printed. " +
    "What the policy admits is asked with credentials that you hand over (--key, --cert, --people); what needs others is listed as not asked. " +
    "Exits with 0 where nothing differs, with 1 where something does.",
  options: {
    policy: {
      type: "text",
      value: "FILE",
      help: "The policy that the server should serve. Default: gatehouse.policy.jsonc of the current folder.",
    },
    "allow-host": {
      type: "text",
      value: "HOST",
      multiple: true,
      help: "A host beyond this machine that may be asked, exactly as the URL names it: only one that is yours to probe.",
    },
    host: { type: "text", value: "HOST", help: "What the header `Host` says. Default: the URL's host." },
    header: {
      type: "text",
      short: "H",
      value: "'NAME: VALUE'",
      multiple: true,
      help: "Stands in every request. May be repeated.",
    },
    cacert: { type: "text", value: "FILE", help: "Certificates to trust for `https:`, as PEM." },
    ip: {
      type: "text",
      value: "ADDRESS",
      help: "The address that the server sees the requests come from. Default: this end of the connection.",
    },
    cert: {
      type: "text",
      value: "FILE",
      help: "A client's certificate that the server takes, as PEM, for `mtls` and for tokens that are bound to one.",
    },
    "cert-key": {
      type: "text",
      value: "FILE",
      help: "Its private key, as PEM. Default: it stands in the file of --cert, too.",
    },
    key: {
      type: "text",
      value: "[NAME=]FILE",
      multiple: true,
      help:
        "A private key (PEM or JSON Web Key) whose tokens the server accepts, for the `jwt` authenticator NAME; one that stands alone needs no name. " +
        "For `http-signature` and `signature` the key, or the shared secret as text, under which messages are signed; of several keys NAME:KEYID says which, with `%3D` for `=` in an id.",
    },
    people: {
      type: "text",
      value: "FILE",
      help: 'Somebody\'s own credentials: `{ "ann": { "authenticator": "user", "roles": ["clerk"], "credential": "env:ANN_TOKEN" } }`.',
    },
    param: {
      type: "text",
      value: "NAME=VALUE",
      multiple: true,
      help: "Value of a path parameter, so that something that exists is asked for. May be repeated.",
    },
    only: { type: "text", choices: AREAS, multiple: true, help: "Asks about this alone. May be repeated." },
    route: {
      type: "text",
      value: "KEY",
      multiple: true,
      help: "Asks about this route alone, by its key in the policy. May be repeated.",
    },
    unsafe: {
      type: "flag",
      help: "Sends what the policy admits by POST, PUT, PATCH and DELETE too: it may change data.",
    },
    floods: {
      type: "flag",
      help: "Sends as many requests as each limit takes, and more. What is spent is spent for others of the same address, too.",
    },
    rate: {
      type: "text",
      value: "N",
      help: `Requests a second, at most. Default ${DEFAULTS.rate}.`,
    },
    "max-requests": {
      type: "text",
      value: "N",
      help: `Requests in all, at most. Default ${DEFAULTS.maxRequests}.`,
    },
    wait: {
      type: "text",
      value: "DURATION",
      help: `How long to wait in all where a limit of the policy says so. Default ${DEFAULTS.wait}.`,
    },
    format: { type: "text", choices: PROBE_FORMATS, help: "Default pretty." },
    json: { type: "flag", help: "Short for --format json." },
  },
  examples: [
    "gatehouse probe http://localhost:8080 --policy policy.jsonc",
    "gatehouse probe http://localhost:8080 --policy policy.jsonc --key signing-key.json --param id=7 --unsafe --floods",
    "gatehouse probe https://staging.example.com --policy policy.jsonc --allow-host staging.example.com --people people.json",
  ],
  run: async (input, io) => (await import("./run.js")).runProbe(input, io),
};
