/** The handler's Response on its way out: shaped by the policy, framed by what is really sent. */
import type { HeaderField, RawResponse, ShapedResponse } from "@gatehouse/core";
import { isBodyless } from "./sent.js";

/** Another realm's Response, or a server's own, is one too: what counts is what can be asked of it. */
export function isResponse(value: unknown): value is Response {
  if (typeof value !== "object" || value === null) return false;
  const { status, headers } = value as { status?: unknown; headers?: { forEach?: unknown } };
  return typeof status === "number" && typeof headers?.forEach === "function";
}

/** Cookies apart: some platforms join them where they list fields, and a joined cookie is a broken one. */
export function pairsOf(headers: Headers): HeaderField[] {
  const fields: HeaderField[] = [];
  headers.forEach((value, name) => {
    if (name !== "set-cookie") fields.push([name, value]);
  });
  for (const cookie of headers.getSetCookie()) fields.push(["set-cookie", cookie]);
  return fields;
}

export function rawOf(response: Response): RawResponse {
  return { status: response.status, headers: pairsOf(response.headers) };
}

/** Without a reason phrase: the handler's own would be a way around redaction, and HTTP/2 has none. */
export function built(
  { status, headers }: ShapedResponse,
  body: ReadableStream<unknown> | string | Uint8Array | undefined,
): Response {
  const fields = new Headers();
  for (const [name, value] of headers) fields.append(name, value);
  const empty = body === undefined || (!(body instanceof ReadableStream) && body.length === 0);
  return new Response(
    empty || isBodyless(status) ? null : (body as ConstructorParameters<typeof Response>[0]),
    {
      status,
      headers: fields,
    },
  );
}

/**
 * Undefined where the answer promises no length.
 * @throws Error for a length that is none: servers write it as it stands, and clients take what follows for the next answer
 */
export function promisedLength(headers: readonly HeaderField[]): number | undefined {
  const stated = headers.filter(([name]) => name.toLowerCase() === "content-length");
  const [field] = stated;
  if (field === undefined) return undefined;
  const length = /^\d+$/.test(field[1]) ? Number(field[1]) : Number.NaN;
  if (stated.length > 1 || !Number.isSafeInteger(length))
    throw new Error("Content-Length of the answer does not say where it ends");
  return length;
}

/**
 * How a connection carries an answer is the server's: a body that comes from a `fetch` is decoded already.
 * @param length of the body, where it is known: no other is stated
 */
export function framed(headers: readonly HeaderField[], length?: number): HeaderField[] {
  return headers.filter(([name, value]) => {
    const lower = name.toLowerCase();
    if (lower === "content-length") return length === undefined || value === String(length);
    return lower !== "transfer-encoding" && lower !== "trailer";
  });
}

const BARE_ERROR = JSON.stringify({ type: "about:blank", title: "Internal server error", status: 500 });

/** Where not even the policy's own error shape can be had. */
export function bareError(method: string): Response {
  return new Response(method === "HEAD" ? null : BARE_ERROR, {
    status: 500,
    headers: {
      "Content-Type": "application/problem+json",
      "Cache-Control": "no-store",
      "Content-Length": String(BARE_ERROR.length),
    },
  });
}

/** What nobody will read is told so, or its source goes on for ever. */
export function discard(response: unknown): void {
  if (!isResponse(response) || response.bodyUsed) return;
  try {
    void response.body?.cancel().catch(() => undefined);
  } catch {
    // Somebody else reads it, and will see the end.
  }
}
