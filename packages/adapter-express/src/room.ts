/**
 * Room on request and response for what the guard, express and its router put there. Express changes the prototype of both, and for each
 * property that is added behind that V8 makes a new hidden class, with each request anew: there before, a guarded request costs a
 * fraction.
 */
import { reserveRoom } from "@gatehouse/node-http";
import type { App, ExpressRequest, ExpressResponse } from "./express.js";
import { DECIDED } from "./passes.js";

/** Before the outermost application has its hands on them. */
export function makeRoom(root: App, req: ExpressRequest, res: ExpressResponse): void {
  const request = req as unknown as Record<PropertyKey, unknown>;
  request[DECIDED] = undefined;
  if (request["gatehouse"] === undefined) request["gatehouse"] = undefined;
  if (request["principal"] === undefined) request["principal"] = undefined;
  // Of express, its router and body parsers. A server in front of the application may have set some of them.
  if (request["next"] === undefined) request["next"] = undefined;
  if (request["baseUrl"] === undefined) request["baseUrl"] = undefined;
  if (request["originalUrl"] === undefined) request["originalUrl"] = undefined;
  if (request["params"] === undefined) request["params"] = undefined;
  if (request["route"] === undefined) request["route"] = undefined;
  if (request["_parsedUrl"] === undefined) request["_parsedUrl"] = undefined;
  if (request["body"] === undefined) request["body"] = undefined;
  if (request["_body"] === undefined) request["_body"] = undefined;
  const response = res as unknown as Record<PropertyKey, unknown>;
  if (response["locals"] === undefined) response["locals"] = undefined;
  if (response["json"] === undefined) response["json"] = jsonOfPrototype;
  reserveRoom(res, root.response);
}

/** Stands where the guard's own will stand; until then the application's is the one that counts. */
function jsonOfPrototype(this: ExpressResponse, ...given: unknown[]): unknown {
  return (Object.getPrototypeOf(this) as ExpressResponse).json.apply(this, given);
}
