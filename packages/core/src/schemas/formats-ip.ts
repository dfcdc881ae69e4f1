/** Addresses as RFC 2673 section 3.2 and RFC 4291 section 2.2 write them. */

const OCTET = /^(?:0|[1-9]\d{0,2})$/u;
const HEXTET = /^[0-9A-Fa-f]{1,4}$/u;

/** Four decimal numbers; `010` is refused, because some read it as eight. */
export function isIpv4(text: string): boolean {
  if (text.length > 15) return false;
  const octets = text.split(".");
  return octets.length === 4 && octets.every((octet) => OCTET.test(octet) && Number(octet) <= 255);
}

/** RFC 4291 section 2.2, without a zone. */
export function isIpv6(text: string): boolean {
  if (text.length > 45) return false;
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const [head, tail] = [hextetsIn(halves[0] ?? "", halves.length === 1), hextetsIn(halves[1] ?? "", true)];
  if (head === undefined || tail === undefined) return false;
  return halves.length === 1 ? head === 8 : head + tail <= 7;
}

/** How many groups of 16 bits stand there; an IPv4 address may stand last and counts two. */
function hextetsIn(text: string, ipv4Allowed: boolean): number | undefined {
  if (text === "") return 0;
  const groups = text.split(":");
  const last = groups.at(-1) ?? "";
  const dotted = ipv4Allowed && last.includes(".") && isIpv4(last);
  const plain = dotted ? groups.slice(0, -1) : groups;
  if (!plain.every((group) => HEXTET.test(group))) return undefined;
  return plain.length + (dotted ? 2 : 0);
}
