/** Node: synchronous hashing and signature checks, files and environment. Bun and Deno resolve here too. */
import { createHash, createHmac, hash as hashOnce, randomFillSync, timingSafeEqual } from "node:crypto";
import type { HmacHash, Platform } from "../ports/platform.js";
import { nodeTextOfAscii } from "./node-ascii.js";
import { systemClock } from "./clock.js";
import { decodeNodeBase64Url, textOfNodeBase64Url } from "./node-base64url.js";
import { nodeSecrets, readTextFile, watchTextFiles } from "./node-files.js";
import { nodeSecretProblem, prepareNodeKey } from "./node-keys.js";
import { watchNodeLoop } from "./node-loop.js";
import { nodeScrypt } from "./node-scrypt.js";

/** For `node`, which finds them here: reached on another way, they would be a file of their own, and each file costs some of a start. */
export { nodeSecrets, readTextFile } from "./node-files.js";
export { watchFiles } from "./node-watch.js";

/** One call into the runtime instead of three and no object: a third of the cost for a token. Runtimes beside Node may lack it. */
const oneShot = typeof hashOnce === "function";

export const platform: Platform = Object.freeze({
  name: "node",
  generatesCode: true,
  clock: systemClock,
  secrets: nodeSecrets,
  sha256: (data: Uint8Array | string): Uint8Array =>
    oneShot ? hashOnce("sha256", data, "buffer") : createHash("sha256").update(data).digest(),
  sha256Hex: (data: Uint8Array | string): string =>
    oneShot ? hashOnce("sha256", data, "hex") : createHash("sha256").update(data).digest("hex"),
  hmacSha256: (key: Uint8Array, data: Uint8Array | string): Uint8Array =>
    createHmac("sha256", key).update(data).digest(),
  sha512: (data: Uint8Array): Uint8Array => createHash("sha512").update(data).digest(),
  hmac: (hash: HmacHash, key: Uint8Array, data: Uint8Array): Uint8Array =>
    createHmac(hash, key).update(data).digest(),
  equalInConstantTime: (a: Uint8Array, b: Uint8Array): boolean =>
    a.length === b.length && timingSafeEqual(a, b),
  randomBytes: (length: number): Uint8Array => randomFillSync(new Uint8Array(length)),
  decodeBase64Url: decodeNodeBase64Url,
  textOfBase64Url: textOfNodeBase64Url,
  utf8Length: (text: string): number => Buffer.byteLength(text),
  textOfAscii: nodeTextOfAscii(),
  prepareKey: prepareNodeKey,
  secretProblem: nodeSecretProblem,
  warn: (message: string): void => process.emitWarning(message, { type: "GatehouseWarning" }),
  scrypt: nodeScrypt,
  watchEventLoop: watchNodeLoop,
  readFile: readTextFile,
  watchFiles: watchTextFiles,
  // The next three are rare, and what they load is not: threads, the name service and the worker's code take a tenth of a start.
  addressesOf: async (name: string): Promise<readonly string[]> => {
    const { lookup } = await import("node:dns/promises");
    return (await lookup(name, { all: true })).map(({ address }) => address);
  },
  fetchAt: async (addresses: readonly string[], url: string, init: RequestInit): Promise<Response> =>
    (await import("./node-fetch-at.js")).fetchAt(addresses, url, init),
  openHtmlSanitizer: async () => (await import("./node-html.js")).openNodeHtml(),
});
