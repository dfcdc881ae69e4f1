/** Where a message ends and what its connection is asked to do: read in one way or refused (RFC 9112 sections 6 and 9). */
import type { Refusal } from "../model/outcome.js";
import type { RawRequest } from "../model/request.js";
import { FIELD } from "./names.js";
import { refusal } from "./refusals.js";

const LENGTH_AND_ENCODING = refusal("ambiguous-framing", "Content-Length stands beside Transfer-Encoding");
const BAD_LENGTH = refusal("ambiguous-framing", "Content-Length is no length");
const BAD_ENCODING = refusal("ambiguous-framing", "Transfer-Encoding is not `chunked`");
const OLD_ENCODING = refusal("ambiguous-framing", "an HTTP/1.0 message has a Transfer-Encoding");
const BAD_CONNECTION = refusal(
  "ambiguous-framing",
  "Connection names a field that is not the connection's own",
);

/** Digits only, no sign, and exact as a number; -1 for anything else. */
function parseLength(text: string): number {
  if (text.length === 0 || text.length > 15) return -1;
  let length = 0;
  for (let i = 0; i < text.length; i += 1) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}

/**
 * What may stand in Connection. A field that is named here is removed by the next intermediary (RFC 9110 section 7.6.1):
 * `Connection: authorization` would make a credential vanish behind us.
 */
const OPTIONS: ReadonlySet<string> = new Set(["close", "keep-alive", "upgrade", "te", "http2-settings"]);

/** True when the connection is to be upgraded. */
function readConnection(value: string): boolean | Refusal {
  if (value === "keep-alive" || value === "close") return false;
  let upgrade = false;
  for (const part of value.split(",")) {
    const option = part.trim().toLowerCase();
    if (option === "") continue;
    if (!OPTIONS.has(option)) return BAD_CONNECTION;
    if (option === "upgrade") upgrade = true;
  }
  return upgrade;
}

/** Reads messages one after the other; the object is kept and refilled. */
export class FramingReader {
  contentLength: number | undefined;
  hasContent = false;
  upgrade = false;

  /** @param seen union of the bits of all fields */
  read(raw: RawRequest, headers: ReadonlyMap<string, string>, seen: number): Refusal | undefined {
    this.contentLength = undefined;
    this.hasContent = false;
    this.upgrade = raw.upgrade === true;
    return this.readContent(raw, headers, seen) ?? this.readUpgrade(headers, seen);
  }

  private readContent(
    raw: RawRequest,
    headers: ReadonlyMap<string, string>,
    seen: number,
  ): Refusal | undefined {
    if ((seen & FIELD.contentLength) !== 0) {
      if ((seen & FIELD.transferEncoding) !== 0) return LENGTH_AND_ENCODING;
      const length = parseLength(headers.get("content-length") ?? "");
      if (length < 0) return BAD_LENGTH;
      this.contentLength = length;
      this.hasContent = length > 0;
    } else if ((seen & FIELD.transferEncoding) !== 0) {
      if (raw.httpVersion === "1.0") return OLD_ENCODING;
      if (headers.get("transfer-encoding")?.toLowerCase() !== "chunked") return BAD_ENCODING;
      this.hasContent = true;
    }
    return undefined;
  }

  private readUpgrade(headers: ReadonlyMap<string, string>, seen: number): Refusal | undefined {
    if ((seen & FIELD.connection) === 0) return undefined;
    const asked = readConnection(headers.get("connection") ?? "");
    if (typeof asked !== "boolean") return asked;
    if (asked && (seen & FIELD.upgrade) !== 0) this.upgrade = true;
    return undefined;
  }
}
