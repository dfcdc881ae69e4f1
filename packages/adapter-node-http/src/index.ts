/** Gatehouse on node:http, https and http2 servers. */
export { createServer, guard } from "./guard.js";
export type { Guard, Handler } from "./guard.js";
export { createSecureServer } from "./secure/server.js";
export type { SecureServer } from "./secure/server.js";
export type { SecureHttpOptions, SecureOptions } from "./secure/options.js";
export { guardUpgrade } from "./upgrade.js";
export type { UpgradeListener } from "./upgrade.js";
export type { GuardOptions, UpgradeHandler, UpgradeOptions } from "./options.js";
export { HandlerContext } from "./context.js";
export type { SendOptions } from "./context.js";
export type { NodeRequest, NodeResponse } from "./types.js";
export { ownServer } from "./own-server.js";
// What an adapter for a framework on Node builds on.
export { serverProblem } from "./own-server.js";
export { isClosing, writeBareError, writeDecision } from "./decision.js";
export { passageSettingsOf, requireFunction } from "./options.js";
export { pass, reserveRoom } from "./passage.js";
export type { PassageSettings, Proceed } from "./passage.js";
export { tlsFacts } from "./tls-facts.js";
export { readRequest } from "./request.js";
export { readBody } from "./intake.js";
export { interceptionOf, interceptResponse } from "./answer/methods.js";
export type { AnswerSettings, Interception } from "./answer/interception.js";
