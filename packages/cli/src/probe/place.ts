/** Which server is asked, and that it may be. */
import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { UsageError } from "../cli/io.js";

export interface Place {
  readonly https: boolean;
  /** As the URL names it, without a port. */
  readonly name: string;
  /**
   * What is connected to, in the order of the system: looked up once, so that a name that changes its mind leads nowhere else. A server on
   * `localhost` may listen at one of them alone.
   */
  readonly addresses: readonly string[];
  readonly port: number;
  /** What `Host` says. */
  readonly authority: string;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

export function isLoopback(address: string): boolean {
  const version = isIP(address);
  return version !== 0 && LOOPBACK.check(address, version === 4 ? "ipv4" : "ipv6");
}

/** Every address of a name. */
export type Lookup = (name: string) => Promise<readonly string[]>;

/**
 * @param allowed hosts beyond this machine
 * @throws UsageError (rejects) for anything that is not to be asked
 */
export async function placeOf(
  url: string,
  allowed: readonly string[],
  host?: string,
  find: Lookup = lookUp,
): Promise<Place> {
  const parsed = parse(url);
  const name = parsed.hostname.replace(/^\[|\]$/gu, "");
  const https = parsed.protocol === "https:";
  const named = allowed.some((one) => one.toLowerCase() === name.toLowerCase());
  // A name that is looked up is told to others already.
  if (!named && !isOfThisMachine(name)) throw notHere(name);
  const addresses = await addressesOf(name, find);
  // Each: whichever answers is asked.
  if (!named && !addresses.every(isLoopback)) throw notHere(name);
  const port = parsed.port === "" ? (https ? 443 : 80) : Number(parsed.port);
  return { https, name, addresses, port, authority: host ?? parsed.host };
}

/** An address, or a name that leads nowhere else (RFC 6761 section 6.3). */
function isOfThisMachine(name: string): boolean {
  return isIP(name) === 0 ? /(?:^|\.)localhost$/u.test(name) : isLoopback(name);
}

function notHere(name: string): UsageError {
  return new UsageError(
    `\`${name}\` is not this machine`,
    `probing sends hundreds of requests that look like an attack; if it is yours to probe, say \`--allow-host ${name}\``,
  );
}

function parse(url: string): URL {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new UsageError("the first operand is no URL", "write for example `http://localhost:8080`");
  }
  if (parsed.protocol !== "http:" && parsed.protocol !== "https:")
    throw new UsageError("only `http:` and `https:` are asked");
  if (parsed.username !== "" || parsed.password !== "")
    throw new UsageError(
      "a URL with a password in it would end up in logs",
      "hand credentials over with `--people`",
    );
  if (parsed.pathname !== "/" || parsed.search !== "" || parsed.hash !== "")
    throw new UsageError(
      "the URL leads to a path, and the paths that are asked for are the policy's",
      "write scheme, host and port alone",
    );
  return parsed;
}

async function addressesOf(name: string, find: Lookup): Promise<readonly string[]> {
  const found = await find(name).catch((): readonly string[] => []);
  if (found.length === 0) throw new UsageError(`\`${name}\` has no address`);
  return [...new Set(found)];
}

async function lookUp(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}
