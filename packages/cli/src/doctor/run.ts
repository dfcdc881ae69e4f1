/** `gatehouse doctor`: which address, scheme and host the engine sees, and why. */
import type { Input } from "../cli/input.js";
import { EXIT, UsageError, type Io } from "../cli/io.js";
import { requestFrom } from "../explain/from-input.js";
import { DEFAULT_IP, has, readHeader, type WireRequest } from "../explain/request.js";
import { addressFrom } from "../lib/address.js";
import { choiceHelp } from "../lib/near.js";
import { policyFrom } from "../lib/policy-file.js";
import { policyNamed } from "../lib/policy-name.js";
import { diagnose } from "./doctor.js";
import { PROXY_NAMES, type ProxyName } from "./names.js";
import { formatDiagnosis, formatProxy } from "./pretty.js";
import { PROXIES } from "./proxies.js";

export async function runDoctor(input: Input, io: Io): Promise<number> {
  const proxy = input.text("proxy");
  if (proxy !== undefined) return tellProxy(proxy, input, io);
  const policy = await policyFrom(await policyNamed(input.operands[0], io), io);
  const found = diagnose(policy, await arriving(input, io, policy.transport?.hosts?.[0]));
  if (input.flag("json")) io.out(`${JSON.stringify(found, null, 2)}\n`);
  else io.out(formatDiagnosis(found, { colour: io.colour }));
  const wrong = found.seen.refused !== undefined || found.advice.some(({ kind }) => kind === "wrong");
  return wrong ? EXIT.findings : EXIT.ok;
}

function tellProxy(name: string, input: Input, io: Io): number {
  const others = ["peer", "header", "url", "curl", "har", "entry", "plain"];
  if (input.operands.length > 0 || others.some((name) => input.has(name)))
    throw new UsageError("`--proxy` stands alone: it asks nothing of a policy");
  if (!isProxy(name))
    throw new UsageError(`no advice for \`${name}\``, choiceHelp(name, PROXY_NAMES, "proxies"));
  const advice = PROXIES[name];
  io.out(input.flag("json") ? `${JSON.stringify(advice, null, 2)}\n` : formatProxy(advice));
  return EXIT.ok;
}

function isProxy(name: string): name is ProxyName {
  return (PROXY_NAMES as readonly string[]).includes(name);
}

/** @param served the first host of the policy, for a request that names none */
async function arriving(input: Input, io: Io, served: string | undefined): Promise<WireRequest> {
  const described = ["url", "curl", "har", "entry"].some((name) => input.has(name));
  const base: WireRequest = described ? (await requestFrom(input, io)).request : NOTHING;
  const own = input.texts("header").map(readHeader);
  const names = new Set(own.map(([name]) => name.toLowerCase()));
  const headers = [...base.headers.filter(([name]) => !names.has(name.toLowerCase())), ...own];
  if (!has(headers, "host")) headers.unshift(["Host", (served ?? "api.test").replace("*.", "api.")]);
  const https = base.https && !input.flag("plain");
  return { ...base, headers, https, ip: peerFrom(input) };
}

/** A Unix socket has no address. */
function peerFrom(input: Input): string {
  return input.text("peer") === "unix" ? "" : (addressFrom(input, "peer") ?? DEFAULT_IP);
}

const NOTHING: WireRequest = {
  method: "GET",
  target: "/",
  headers: [],
  body: undefined,
  https: true,
  ip: DEFAULT_IP,
};
