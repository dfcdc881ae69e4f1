/** Browsers and workers: no files, no environment, and no code made from text. */
import { decodeBase64Url } from "../lib/base64url.js";
import { strictText } from "../lib/bytes.js";
import type { PurifierFactory } from "../ports/html-sanitizer.js";
import type { Platform } from "../ports/platform.js";
import { systemClock } from "./clock.js";
import {
  equalBytes,
  portableHmac,
  portableHmacSha256,
  portableRandomBytes,
  portableSha256,
  portableSha256Hex,
  portableSha512,
  portableUtf8Length,
} from "./portable-hash.js";
import { openPortableHtml } from "./portable-html.js";
import { portableSecretProblem, preparePortableKey } from "./portable-keys.js";
import { portableScrypt } from "./portable-scrypt.js";

export const platform: Platform = Object.freeze({
  name: "portable",
  generatesCode: false,
  clock: systemClock,
  secrets: undefined,
  sha256: portableSha256,
  sha256Hex: portableSha256Hex,
  hmacSha256: portableHmacSha256,
  sha512: portableSha512,
  hmac: portableHmac,
  equalInConstantTime: equalBytes,
  randomBytes: portableRandomBytes,
  decodeBase64Url: (text: string): Uint8Array | undefined => decodeBase64Url(text),
  textOfBase64Url(text: string): string | undefined {
    const bytes = decodeBase64Url(text);
    return bytes === undefined ? undefined : strictText(bytes);
  },
  utf8Length: portableUtf8Length,
  textOfAscii: undefined,
  prepareKey: preparePortableKey,
  secretProblem: portableSecretProblem,
  // oxlint-disable-next-line no-console -- the one sink that every platform has; `onSecrets` replaces it
  warn: (message: string): void => console.warn(message),
  scrypt: portableScrypt,
  // Timers of a page in the background, or of a worker, tell nothing of the loop.
  watchEventLoop: undefined,
  readFile: undefined,
  watchFiles: undefined,
  addressesOf: undefined,
  fetchAt: undefined,
  openHtmlSanitizer: (dompurify: PurifierFactory | undefined) => openPortableHtml(dompurify),
});
