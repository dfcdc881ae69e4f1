/** A request as somebody describes it. */
import { UsageError } from "../cli/io.js";

/** What goes over the wire, as far as a policy can see it. */
export interface WireRequest {
  readonly method: string;
  /** As on the request line. */
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array | undefined;
  /** Whether the socket is TLS. */
  readonly https: boolean;
  /** Address of the socket's peer. */
  readonly ip: string;
}

/** Kept for documentation (RFC 5737): nobody's. */
export const DEFAULT_IP = "192.0.2.1";

export interface Place {
  readonly https: boolean;
  /** Undefined where a path was given alone. */
  readonly host: string | undefined;
  readonly target: string;
}

/**
 * Reads a URL without mending it: what a browser would silently straighten is what a policy is there to see.
 * @param url absolute, or a path, which is then asked for over HTTPS
 */
export function placeOf(url: string): Place {
  const bare = url.replace(/#.*$/u, "");
  const parts = /^(https?):\/\/([^/?]+)([^]*)$/iu.exec(bare);
  if (parts === null) {
    if (!bare.startsWith("/"))
      throw new UsageError(
        `\`${url}\` is no URL and no path`,
        "write `https://api.example.com/orders` or `/orders`",
      );
    return { https: true, host: undefined, target: bare };
  }
  const [, scheme = "", authority = "", rest = ""] = parts;
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  return { https: scheme.toLowerCase() === "https", host, target: rest.startsWith("/") ? rest : `/${rest}` };
}

export function has(headers: WireRequest["headers"], name: string): boolean {
  return headers.some(([field]) => field.toLowerCase() === name);
}

export function fieldOf(headers: WireRequest["headers"], name: string): string | undefined {
  return headers.find(([field]) => field.toLowerCase() === name)?.[1];
}

/** `Name: value`. */
export function readHeader(line: string): readonly [string, string] {
  const colon = line.indexOf(":");
  if (colon < 1)
    throw new UsageError(
      "a header is no `Name: value`",
      "write for example `--header 'Accept: application/json'`",
    );
  return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
}

/** The fields that every client sends for the rest of what is sent. */
export function withFraming(request: WireRequest): WireRequest {
  const headers = request.headers.filter(([name]) => name.toLowerCase() !== "content-length");
  if (request.body === undefined || has(headers, "transfer-encoding")) return { ...request, headers };
  return { ...request, headers: [...headers, ["Content-Length", String(request.body.length)]] };
}
