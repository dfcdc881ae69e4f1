/** Which URLs may be called: HTTPS, or plain HTTP on this machine. Nothing secret stands in one. */
import { parseAddress } from "./ip.js";
import { inAnyRange, NAMED_RANGES } from "./ip-range.js";

/** Undefined for a URL that may be called, else what is wrong with it, without quoting it. */
export function outwardUrlProblem(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return "is no absolute URL";
  if (url.username !== "" || url.password !== "") return "holds a user or a password";
  if (text.includes("#")) return "has a fragment, which is never sent";
  if (url.protocol === "https:" || (url.protocol === "http:" && isLoopbackHost(url.hostname)))
    return undefined;
  return "is not HTTPS";
}

/** Plain HTTP that leaves no machine. A name other than `localhost` may lead anywhere. */
export function isLoopbackUrl(text: string): boolean {
  return URL.canParse(text) && isLoopbackHost(new URL(text).hostname);
}

/** The name of the URL where it stands for this machine, and whoever resolves names may think otherwise; undefined where nothing is to be asked. */
export function nameOfThisMachine(text: string): string | undefined {
  const { protocol, hostname } = new URL(text);
  return protocol === "http:" && hostname === "localhost" ? hostname : undefined;
}

export function isLoopbackAddress(text: string): boolean {
  const address = parseAddress(text);
  return address !== undefined && inAnyRange(address, NAMED_RANGES.get("loopback")?.() ?? []);
}

/** @param host as the URL parser writes it: an IPv4 address is a dotted quad in whatever spelling it came */
function isLoopbackHost(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127(?:\.\d{1,3}){3}$/u.test(host);
}

/** The URL for messages: a query may carry a key. */
export function namedUrl(text: string): string {
  if (!URL.canParse(text)) return "the URL";
  const { origin, pathname } = new URL(text);
  return `\`${origin}${pathname}\``;
}
