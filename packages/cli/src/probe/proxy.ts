/** What a proxy says that the policy believes: on its machine, a probe stands where it stands, and must say what it says. */
import { inRanges, type ResolvedPolicy } from "@gatehouse/core/analysis";

export interface Proxy {
  /** Fields for a request over HTTPS from `address`. */
  readonly fieldsFor: (address: string) => Readonly<Record<string, string>>;
}

/** @param peer this end's address; undefined comes back where nobody there is believed */
export function proxyFor({ document }: ResolvedPolicy, peer: string): Proxy | undefined {
  const trust = document.transport?.trust;
  if (trust?.header === undefined || !inRanges(peer, trust.peers)) return undefined;
  const name = trust.header.toLowerCase();
  if (name === "x-forwarded-for")
    return { fieldsFor: (address) => ({ "X-Forwarded-Proto": "https", "X-Forwarded-For": address }) };
  if (name === "forwarded") return { fieldsFor: (address) => ({ Forwarded: `for=${address};proto=https` }) };
  const { header, scheme } = trust;
  return {
    fieldsFor: (address) => ({ [header]: address, ...(scheme === undefined ? {} : { [scheme]: "https" }) }),
  };
}

/** One of a range that is kept for tests of networks (RFC 2544): the n-th caller is nobody else. */
export function addressOf(count: number): string {
  return `198.${18 + ((count >> 16) & 1)}.${(count >> 8) & 255}.${count & 255}`;
}
