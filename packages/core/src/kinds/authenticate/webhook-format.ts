/** The header of a webhook's signature, taken apart by its format. Form alone: nothing is believed yet. */
import { decodeBase64 } from "../../lib/base64.js";
import { decodeBase64Url } from "../../lib/base64url.js";
import { fromHex } from "../../lib/bytes.js";
import type { WebhookForm } from "../../model/webhook-form.js";
import { bad, type Bad } from "./judgement.js";
import { namesIn, parseTemplate, type Piece } from "./webhook-template.js";

/** What stood in the header; `time` and `id` only where the format has them. */
export interface Presented {
  readonly signatures: readonly Uint8Array[];
  readonly time: string | undefined;
  readonly id: string | undefined;
}

export type ReadSignature = (value: string) => Presented | Bad;

/** A sender that changes its secret signs with two; each more costs a comparison. */
const MAX_SIGNATURES = 8;

const MALFORMED = bad("the signature's header has another form than `format`");
const NO_SIGNATURE = bad("the signature's header holds no signature that could be read");
const TOO_MANY = bad(`the signature's header holds more than ${MAX_SIGNATURES} signatures`);
const TWICE = bad("the signature's header says its time or id twice");

const SEPARATORS = { comma: ",", blank: " " } as const;

type Decode = (text: string) => Uint8Array | undefined;

/** By the name of a placeholder. */
const ENCODINGS: ReadonlyMap<string, Decode> = new Map([
  ["hex", fromHex],
  ["base64", decodeBase64],
  ["base64url", decodeBase64Url],
]);

export const SIGNATURE_NAMES: readonly string[] = [...ENCODINGS.keys()];

export const HASH_BYTES = { sha256: 32, sha384: 48, sha512: 64 } as const;

/** @param form one that passed its checks */
export function signatureReader(form: WebhookForm): ReadSignature {
  const length = HASH_BYTES[form.algorithm];
  const { separator } = form;
  if (separator === undefined) {
    const pieces = parseTemplate(form.format) ?? [];
    const read = entryReader(pieces);
    return (value) => {
      const found = read(value);
      return found === undefined ? MALFORMED : gather([found], length);
    };
  }
  const readers = entriesOf(form.format, separator).map((entry) => entryReader(entry));
  return (value) => {
    const found: Entry[] = [];
    for (const text of value.split(SEPARATORS[separator])) {
      const entry = text.trim();
      const known = readers.map((read) => read(entry)).find((one) => one !== undefined);
      if (known !== undefined) found.push(known);
    }
    return gather(found, length);
  };
}

/** Entries of a list's format. */
export function entriesOf(format: string, separator: "comma" | "blank"): readonly (readonly Piece[])[] {
  // `v1,{base64}` in a list at blanks is one entry.
  return format.split(SEPARATORS[separator]).map((entry) => parseTemplate(entry.trim()) ?? []);
}

type Entry = ReadonlyMap<string, string>;

/** Undefined: the text is not of this form. */
function entryReader(pieces: readonly Piece[]): (text: string) => Entry | undefined {
  const pattern = new RegExp(`^${pieces.map(patternOf).join("")}$`, "u");
  const names = namesIn(pieces);
  return (text) => {
    const match = pattern.exec(text);
    return match === null ? undefined : new Map(names.map((name, index) => [name, match[index + 1] ?? ""]));
  };
}

/** Each class leaves out what a text beside it begins with, or the check would have refused the format: no two ways to match. */
function patternOf(piece: Piece): string {
  if ("text" in piece) return piece.text.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, "\\$&");
  switch (piece.name) {
    case "time":
      return "([0-9]+)";
    case "id":
      return "([A-Za-z0-9_-]+)";
    case "hex":
      return "([0-9A-Fa-f]+)";
    default:
      return "([A-Za-z0-9+/_=-]+)";
  }
}

function gather(entries: readonly Entry[], length: number): Presented | Bad {
  const signatures: Uint8Array[] = [];
  const said = new Map<string, string>();
  for (const entry of entries) {
    for (const [name, text] of entry) {
      const decode = ENCODINGS.get(name);
      if (decode === undefined) {
        if (said.has(name)) return TWICE;
        said.set(name, text);
        continue;
      }
      const bytes = decode(text);
      if (bytes?.length === length) signatures.push(bytes);
    }
  }
  if (signatures.length === 0) return NO_SIGNATURE;
  if (signatures.length > MAX_SIGNATURES) return TOO_MANY;
  return { signatures, time: said.get("time"), id: said.get("id") };
}
