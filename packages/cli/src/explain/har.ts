/** One entry of an HTTP archive (HAR 1.2), as browsers save it. */
import { UsageError } from "../cli/io.js";
import { DEFAULT_IP, has, placeOf, type WireRequest } from "./request.js";

/** @param entry from 1; undefined: the only one */
export function readHar(text: string, file: string, entry: number | undefined): WireRequest {
  const entries = entriesOf(text, file);
  if (entry === undefined && entries.length !== 1)
    throw new UsageError(`\`${file}\` has ${entries.length} entries`, "say which, from 1: `--entry 1`");
  const found = entries[(entry ?? 1) - 1];
  if (found === undefined)
    throw new UsageError(`\`${file}\` has ${entries.length} entries, and none with number ${entry ?? 1}`);
  return requestOf(found, file);
}

function entriesOf(text: string, file: string): readonly unknown[] {
  let har: unknown;
  try {
    har = JSON.parse(text);
  } catch {
    throw new UsageError(`\`${file}\` is no JSON`);
  }
  const entries = member(member(har, "log"), "entries");
  if (!Array.isArray(entries))
    throw new UsageError(`\`${file}\` is no HTTP archive`, "it has no list `log.entries`");
  return entries;
}

function requestOf(entry: unknown, file: string): WireRequest {
  const request = member(entry, "request");
  const method = member(request, "method");
  const url = member(request, "url");
  if (typeof method !== "string" || typeof url !== "string")
    throw new UsageError(`the entry of \`${file}\` has no request with method and URL`);
  const place = placeOf(url);
  const headers = fieldsOf(member(request, "headers"));
  if (!has(headers, "host") && place.host !== undefined) headers.unshift(["Host", place.host]);
  return {
    method,
    target: place.target,
    headers,
    body: bodyOf(member(request, "postData")),
    https: place.https,
    ip: DEFAULT_IP,
  };
}

/** HTTP/2's pseudo-header fields are the request line in other words. */
function fieldsOf(list: unknown): [string, string][] {
  const fields: [string, string][] = [];
  for (const one of Array.isArray(list) ? (list as readonly unknown[]) : []) {
    const name = member(one, "name");
    const value = member(one, "value");
    if (typeof name !== "string" || typeof value !== "string") continue;
    if (!name.startsWith(":")) fields.push([name, value]);
    else if (name === ":authority") fields.unshift(["Host", value]);
  }
  return fields;
}

function bodyOf(postData: unknown): Uint8Array | undefined {
  const text = member(postData, "text");
  if (typeof text === "string") {
    return member(postData, "encoding") === "base64"
      ? Buffer.from(text, "base64")
      : new TextEncoder().encode(text);
  }
  const params = member(postData, "params");
  if (!Array.isArray(params) || params.length === 0) return undefined;
  return new TextEncoder().encode(new URLSearchParams(fieldsOf(params)).toString());
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}
