/** The request that a command line describes: by flags, a curl command line, or an entry of an HTTP archive. */
import type { Input } from "../cli/input.js";
import { UsageError, type Io } from "../cli/io.js";
import { readCurl } from "./curl.js";
import { readHar } from "./har.js";
import { DEFAULT_IP, placeOf, type WireRequest } from "./request.js";

/** Without what `--header` says: that goes over whatever was pasted or saved. */
export async function requestFrom(
  input: Input,
  io: Io,
): Promise<{ readonly request: WireRequest; readonly ignored: readonly string[] }> {
  const ways = ["url", "curl", "har"].filter((name) => input.has(name));
  if (ways.length === 0 && input.has("entry")) throw new UsageError("`--entry` is for `--har`");
  if (ways.length !== 1) throw new UsageError("say the request in one way: `--url`, `--curl` or `--har`");
  const curl = input.text("curl");
  const har = input.text("har");
  if (har === undefined && input.has("entry")) throw new UsageError("`--entry` is for `--har`");
  if (curl === undefined) {
    const base =
      har === undefined ? await fromFlags(input, io) : readHar(await io.read(har), har, entryFrom(input));
    return { request: base, ignored: [] };
  }
  return readCurl(curl === "-" ? await io.read("-") : curl, (path) => io.read(path));
}

function entryFrom(input: Input): number | undefined {
  const text = input.text("entry");
  return text === undefined ? undefined : wholeNumber("entry", text, 1_000_000);
}

async function fromFlags(input: Input, io: Io): Promise<WireRequest> {
  const { https, host, target } = placeOf(input.text("url") ?? "");
  const data = input.has("data") ? input.text("data") : undefined;
  const text = data?.startsWith("@") === true ? await io.read(data.slice(1)) : data;
  const headers = host === undefined ? [] : [["Host", host] as const];
  return {
    method: text === undefined ? "GET" : "POST",
    target,
    headers,
    body: text === undefined ? undefined : new TextEncoder().encode(text),
    https,
    ip: DEFAULT_IP,
  };
}

export function wholeNumber(name: string, text: string, most: number): number {
  const number = /^\d+$/u.test(text) ? Number(text) : 0;
  if (number < 1 || number > most) throw new UsageError(`\`--${name}\` is no whole number from 1 to ${most}`);
  return number;
}
