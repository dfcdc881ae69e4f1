/** What Node's servers hand over. The classes of `http2`'s compatibility API answer to the same calls as those of `http`. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";

/** How node:http matches: it does not, so the policy's own match is the only one. */
export const MATCHING = { caseSensitive: true, trailingSlash: "significant", staticText: "decoded" } as const;

export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;

/**
 * One API inside: `http2` promises compatibility with `http`, and the few places where it differs ask `isHttp2`.
 * TypeScript cannot call a union of overloads.
 */
export function plainRequest(req: NodeRequest): IncomingMessage {
  return req as IncomingMessage;
}

export function plainResponse(res: NodeResponse): ServerResponse {
  return res as ServerResponse;
}

/** By what it is: on a connection of HTTP/1 a request line may say `HTTP/2.0`, and Node's parser hands that on. */
export function isHttp2(req: NodeRequest): req is Http2ServerRequest {
  return req.httpVersionMajor >= 2 && "stream" in req;
}

/** The client left before its body was whole: `http2` ends a stream that was reset like one that is complete. */
export function isAborted(req: NodeRequest): boolean {
  return (req as { readonly aborted?: boolean }).aborted === true;
}
