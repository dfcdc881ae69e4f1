/** From Node's request object to what the socket gave, nothing re-encoded and nothing joined. */
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import type { RawRequest } from "@gatehouse/core";
import { tlsFacts } from "./tls-facts.js";
import { isHttp2, plainRequest, type NodeRequest } from "./types.js";

/**
 * The target as it stood on the request line, header fields as the flat list that came, HTTP/2's pseudo fields among them.
 * @param target where a framework keeps it, when it cuts mount paths off `req.url`
 */
export function readRequest(request: NodeRequest, target = request.url ?? ""): RawRequest {
  const req = plainRequest(request);
  const { socket } = req;
  const encrypted = (socket as Partial<TLSSocket>).encrypted === true;
  return {
    method: req.method ?? "",
    target,
    headers: req.rawHeaders,
    remoteAddress: socket.remoteAddress,
    encrypted,
    // By HTTP/2's rules nothing that came over HTTP/1 may be read, whatever its request line says.
    httpVersion: req.httpVersionMajor >= 2 && !isHttp2(req) ? "1.1" : req.httpVersion,
    tls: encrypted ? tlsFacts(request) : undefined,
    upgrade: (req as { upgrade?: boolean }).upgrade === true,
    hasContent: isHttp2(req) && !req.stream.endAfterHeaders,
  };
}

/** True where bytes follow the head, or may. */
export function hasContent(req: IncomingMessage): boolean {
  if (isHttp2(req)) return !req.stream.endAfterHeaders;
  const { headers } = req;
  if (headers["transfer-encoding"] !== undefined) return true;
  const length = headers["content-length"];
  return length !== undefined && length !== "0";
}

/** Undefined where the message does not say: it is chunked, or an HTTP/2 stream without a length. */
export function statedLength(req: IncomingMessage): number | undefined {
  const length = req.headers["content-length"];
  return length === undefined ? undefined : Number(length);
}

/** True for a request whose client waits for 101 (RFC 9110 section 7.8). */
export function asksToUpgrade(req: IncomingMessage): boolean {
  if (isHttp2(req) || req.headers.upgrade === undefined) return false;
  const options = req.headers.connection?.toLowerCase().split(",") ?? [];
  return options.some((option) => option.trim() === "upgrade");
}
