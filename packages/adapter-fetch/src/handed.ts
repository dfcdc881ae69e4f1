/** The Request that the handler gets: the caller's, with what was validated in place of what was sent. */
const CONDITIONS = ["if-none-match", "if-modified-since", "if-range", "range"] as const;
const UTF8 = new TextEncoder();

/** The bytes are those of the engine's one parse: nobody behind the guard reads the caller's text a second time, and otherwise. */
export function withValue(request: Request, value: unknown): Request {
  const bytes = UTF8.encode(JSON.stringify(value));
  const headers = new Headers(request.headers);
  headers.delete("transfer-encoding");
  headers.set("content-length", String(bytes.length));
  const { method, url, signal } = request;
  // No Request can be made of these with a body, also where the server has made one.
  if (method === "GET" || method === "HEAD") return new Request(url, { method, headers, signal });
  return new Request(request, { method, headers, body: bytes });
}

export function withStream(request: Request, body: ReadableStream<unknown>): Request {
  // Without `duplex` Node refuses a stream; elsewhere nobody asks.
  const init: RequestInit & { duplex: "half" } = { body: body as ReadableStream<Uint8Array>, duplex: "half" };
  return new Request(request, init);
}

/**
 * Under a body rule a 304 would tell that the unredacted text is unchanged, and a 206 would cut it where no rule can follow
 * (RFC 9110 sections 13 and 14). The handler does not see that it was asked, and answers whole.
 */
export function withoutConditions(request: Request): Request {
  if (request.method !== "GET" && request.method !== "HEAD") return request;
  if (!CONDITIONS.some((name) => request.headers.has(name))) return request;
  const headers = new Headers(request.headers);
  for (const name of CONDITIONS) headers.delete(name);
  return new Request(request, { headers });
}

/** Where a map of schemas stands for the query, whoever parses the URL finds what was validated, and nothing beside it. */
export function withQuery(request: Request, query: Readonly<Record<string, unknown>>): Request {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? (value as readonly unknown[]) : [value]) {
      parameters.append(name, String(one));
    }
  }
  const { url } = request;
  const [before = ""] = url.split("?", 1);
  const text = parameters.toString();
  const validated = text === "" ? before : `${before}?${text}`;
  return validated === url ? request : new Request(validated, request);
}
