/** What must be known before anything is asked: that a server answers, as whom it is met, and that what was handed over fits the policy. */
import { inRanges, type ResolvedPolicy } from "@gatehouse/core/analysis";
import type { TestRequest } from "@gatehouse/core/testing";
import { UsageError } from "../cli/io.js";
import type { Answer } from "./answer.js";
import { barringAnswer, type BarringAnswer } from "./barred.js";
import type { Client, Identity, WireRequest } from "./client.js";
import { inquire, type Inquirer } from "./inquiry.js";
import { isImpossible, type Judge } from "./judge.js";
import type { Holder } from "./keyring.js";
import type { ProbeOptions } from "./probe.js";
import {
  asksForCertificate,
  Certificates,
  imitation,
  type ShownCertificate,
  type Shows,
} from "./proofs/certificates.js";
import { keysIn, readSigningKey, type Jwk } from "./tokens.js";

/** @throws UsageError where two fields of one name would go out: the server would refuse them, whatever the question */
export function requireOwn(own: Readonly<Record<string, string>>): void {
  const names = Object.keys(own).map((name) => name.toLowerCase());
  if (names.includes("host")) throw new UsageError("`--host` says the host, not a header");
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new UsageError(`the header \`${twice}\` is given twice`);
}

/** By name, however it is spelled. */
export function fieldsOver(
  base: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const names = new Set(Object.keys(own).map((name) => name.toLowerCase()));
  const kept = Object.entries(base).filter(([name]) => !names.has(name.toLowerCase()));
  return { ...Object.fromEntries(kept), ...own };
}

/** How the server is met: as whoever it takes connections of. */
interface Meeting {
  readonly address: string;
  readonly always: Shows;
  readonly barring?: BarringAnswer;
}

/** @param authority by which the server is asked: it may answer nobody who asks for another */
export async function reached(
  client: Client,
  { url, authority }: { readonly url: string; readonly authority: string },
  own: Identity | undefined,
): Promise<Meeting> {
  let problem = `what listens at \`${url}\` does not answer in HTTP`;
  for (const always of own === undefined ? (["none"] as const) : (["none", "own"] as const)) {
    const identity = always === "own" ? own : undefined;
    try {
      const address = await client.localAddress(identity);
      const reply = await client.sendAs(greeting(authority), identity);
      if (reply.kind !== "answer") continue;
      const met = always === "own" ? undefined : await barredAs(reply.answer, client, authority, own);
      if (met === undefined) return { address, always };
      if (own !== undefined) return { address, always: "own", barring: met };
      problem = `\`${url}\` answers nobody who shows no certificate`;
    } catch (error) {
      const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
      problem = `there is no connection to \`${url}\`${code}`;
    }
  }
  const help =
    own === undefined && url.startsWith("https:")
      ? "a server that takes no connection without a client's certificate wants `--cert`"
      : undefined;
  throw new UsageError(problem, help);
}

async function barredAs(
  bare: Answer,
  client: Client,
  authority: string,
  own: Identity | undefined,
): Promise<BarringAnswer | undefined> {
  if (own === undefined) return barringAnswer(bare, undefined);
  const reply = await client.sendAs(greeting(authority), own);
  return reply.kind === "answer" ? barringAnswer(bare, reply.answer) : undefined;
}

function greeting(authority: string): WireRequest {
  const headers = [
    ["Host", authority],
    ["Connection", "close"],
  ] as const;
  return { method: "GET", target: "/", headers, content: undefined };
}

export async function certificatesFor(
  policy: ResolvedPolicy,
  own: ShownCertificate | undefined,
  { peer, https, ...meeting }: { readonly peer: string; readonly https: boolean } & Omit<Meeting, "address">,
): Promise<Certificates> {
  const trust = policy.document.transport?.trust;
  const field = trust !== undefined && inRanges(peer, trust.peers) ? trust.clientCert : undefined;
  if (own !== undefined && !https && field === undefined)
    throw new UsageError("a certificate is shown over TLS: `--cert` wants an `https:` URL");
  const stranger = [...policy.authenticators.values()].some(asksForCertificate)
    ? await imitation(policy, own)
    : undefined;
  // Whom the policy believes vouches for whomever it names.
  const vouched = own ?? (field === undefined ? undefined : stranger);
  return new Certificates({ own: vouched, stranger, field, ...meeting });
}

/** Where everything is refused for the same reason, nothing is learnt. */
export async function refuseHopeless(
  judge: Judge,
  complete: (request: TestRequest) => TestRequest,
  authority: string,
): Promise<void> {
  const [result] = await judge.expect({
    person: undefined,
    request: complete({ target: "/nothing-is-here-7f3a" }),
  });
  if (result?.code === "misdirected-host")
    throw new UsageError(
      `the policy serves no host \`${authority}\`: it would refuse everything`,
      "say with `--host` which of its hosts is meant",
    );
  if (result?.code === "https-required" || result?.status === 308)
    throw new UsageError(
      "the policy refuses plain HTTP, and believes no proxy at this address: it would refuse everything",
      "ask the proxy that ends TLS, by an `https:` URL, or say with `--header` what it says",
    );
}

/** A slip in what is said of somebody would leave out what they were handed over for. */
export async function refuseStrangers(
  parts: Inquirer & { readonly complete: (request: TestRequest) => TestRequest },
): Promise<void> {
  for (const [name, { person }] of parts.keyring.holders) {
    try {
      const by = { name, person, genuine: true, holder: name };
      await inquire(parts, { by, request: parts.complete({ target: "/nothing-is-here-7f3a" }) });
    } catch (error) {
      if (!isImpossible(error)) throw error;
      const problems = error.diagnostics.map(({ message, help }) =>
        [message, help].filter(Boolean).join("; "),
      );
      throw new UsageError(`\`${name}\` does not fit the policy: ${problems.join(", ")}`);
    }
  }
}

export function keysFor(
  policy: ResolvedPolicy,
  { keys = {} }: ProbeOptions,
): Map<string, ReturnType<typeof readSigningKey>> {
  const found = new Map<string, ReturnType<typeof readSigningKey>>();
  for (const [whose, text] of Object.entries(keys)) {
    const settings = policy.authenticators.get(whose)?.settings;
    if (settings?.type === "jwt") found.set(whose, readSigningKey(text, settings.algorithms, whose));
    else if (!isSigned(policy.authenticators.get(whose.split(":")[0] ?? "")?.settings.type))
      throw new UsageError(`the policy has no authenticator \`${whose}\` that a key is for`);
  }
  return found;
}

function isSigned(type: string | undefined): boolean {
  return type === "signature" || type === "http-signature";
}

export function holdersOf({ people = {} }: ProbeOptions): Map<string, Holder> {
  return new Map(Object.entries(people));
}

/** Those that stand in the policy itself. */
export function publicKeysOf(
  { authenticators }: ResolvedPolicy,
  { publicKeys = {} }: ProbeOptions,
): Map<string, Jwk> {
  const found = new Map<string, Jwk>(Object.entries(publicKeys));
  for (const { name, settings } of authenticators.values()) {
    if (settings.type !== "jwt" || found.has(name) || !("jwks" in settings.keys)) continue;
    const [first] = keysIn(settings.keys.jwks);
    if (first !== undefined) found.set(name, first);
  }
  return found;
}
