/** A decision that is not an admission, as an answer on the wire. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { HeaderField, OwnAnswer, Rejection } from "@gatehouse/core";
import { endWith, nativeOf, sendHead, type Native } from "./answer/wire.js";
import { existingIntake, intakeOf } from "./intake.js";
import { hasContent, statedLength } from "./request.js";
import { isHttp2, plainResponse, type NodeResponse } from "./types.js";

/** What of an unread body is read and thrown away to keep a connection. */
const SMALL_BODY = 65_536;
/** How long a closing connection is still read: closing it under a client that writes would destroy the answer on its way. */
const LINGER_MS = 2000;
const CLOSING = Symbol("gatehouse.closing");

/** Sends a refusal or the engine's own answer. A connection with much of a body unread is closed, such that the answer still arrives. */
export function writeDecision(response: NodeResponse, decision: Rejection | OwnAnswer): void {
  const res = plainResponse(response);
  const { body = "" } = decision;
  const fields = [...decision.responseHeaders];
  if (decision.body === undefined && decision.status !== 204) fields.push(["Content-Length", "0"]);
  const close = decision.outcome === "refuse" && decision.close;
  writeClosing(res, nativeOf(res), decision.status, fields, body, close);
}

/** @param close true: the connection is not used again, whatever was read of the body */
export function writeClosing(
  res: ServerResponse,
  native: Native,
  status: number,
  fields: readonly HeaderField[],
  body: string | Uint8Array,
  close: boolean,
): void {
  const { req } = res;
  // What somebody set before the guard, or a handler before it threw, is no part of an answer that is the policy's own.
  for (const name of native.getHeaderNames.call(res)) native.removeHeader.call(res, name);
  const unread = !isHttp2(req) && hasContent(req) && isUnread(req);
  if (!close && !(unread && isLarge(req))) {
    sendHead(res, native, status, fields);
    finish(res, native, body);
    // Where nothing hooked the body, Node throws the little that is left away by itself.
    if (unread) existingIntake(req)?.drop();
    return;
  }
  markClosing(req);
  sendHead(res, native, status, [...fields.filter(([name]) => !isConnection(name)), ["Connection", "close"]]);
  if (!unread) finish(res, native, body);
  else linger(res, native, body);
}

const BARE_ERROR = JSON.stringify({ type: "about:blank", title: "Internal server error", status: 500 });

/** Where not even the policy's own error shape can be had. */
export function writeBareError(res: ServerResponse, native: Native = nativeOf(res)): void {
  const fields: HeaderField[] = [
    ["Content-Type", "application/problem+json"],
    ["Cache-Control", "no-store"],
    ["Content-Length", String(BARE_ERROR.length)],
  ];
  writeClosing(res, native, 500, fields, res.req.method === "HEAD" ? "" : BARE_ERROR, true);
}

/** Requests that were pipelined behind an answer that closes are not looked at: the bytes behind it are nobody's. */
export function isClosing(req: IncomingMessage): boolean {
  return (req.socket as { [CLOSING]?: boolean })[CLOSING] === true;
}

function markClosing(req: IncomingMessage): void {
  if (!isHttp2(req)) (req.socket as { [CLOSING]?: boolean })[CLOSING] = true;
}

function finish(res: ServerResponse, native: Native, body: string | Uint8Array): void {
  if (body.length === 0) native.end.call(res);
  else endWith(res, native, body, "utf8");
}

/** The whole answer is out; its end waits until the client has said all, has left, or has had its time. */
function linger(res: ServerResponse, native: Native, body: string | Uint8Array): void {
  const { req } = res;
  if (body.length > 0) native.write.call(res, body, "utf8");
  else native.flushHeaders.call(res);
  const over = (): void => {
    clearTimeout(timer);
    res.removeListener("close", over);
    if (!res.writableEnded) native.end.call(res);
  };
  const timer = setTimeout(over, LINGER_MS).unref();
  res.once("close", over);
  const intake = intakeOf(req);
  intake.whenOver(over);
  intake.drop();
}

function isUnread(req: IncomingMessage): boolean {
  return !req.complete && existingIntake(req)?.complete !== true;
}

function isLarge(req: IncomingMessage): boolean {
  const length = statedLength(req);
  return length === undefined || length > SMALL_BODY;
}

function isConnection(name: string): boolean {
  return name.toLowerCase() === "connection";
}
