/** User name and password as `Authorization: Basic` holds them (RFC 7617 section 2), in their one spelling. */
import { strictText } from "../../lib/bytes.js";
import type { Platform } from "../../ports/platform.js";

export interface NameAndPassword {
  readonly name: string;
  readonly password: string;
}

/** base64 with its padding; the characters of base64url are another alphabet's. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/u;
/** RFC 7617 section 2: neither part may hold one. Unicode's `Cc`, written out: by its name, the first start would gather all of Unicode's categories. */
const CONTROL = /[\0-\x1f\x7f-\x9f]/u;

/** Undefined for what is not base64 of UTF-8 with a colon in it. Texts are in normal form C, as the hashes were made. */
export function readBasic(text: string, decode: Platform["decodeBase64Url"]): NameAndPassword | undefined {
  if (!BASE64.test(text)) return undefined;
  const bytes = decode(text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""));
  const pair = bytes === undefined ? undefined : strictText(bytes);
  const colon = pair?.indexOf(":") ?? -1;
  if (pair === undefined || colon < 0 || CONTROL.test(pair)) return undefined;
  return { name: pair.slice(0, colon).normalize("NFC"), password: pair.slice(colon + 1).normalize("NFC") };
}
