import { fc, test } from "@fast-check/vitest";
import { expect } from "vitest";
import { analyse } from "./analyse.js";
import { seeCaller } from "./caller.js";
import { clientAddress } from "../lib/ip-client.js";
import { parseAddress } from "../lib/ip.js";

const hop = fc.constantFrom(
  "10.0.0.7",
  "10.0.0.8",
  "203.0.113.9",
  "203.0.113.9:80",
  "[2001:db8::1]:4",
  "unknown",
  "",
  " 10.0.0.7 ",
);
const chain = fc.array(hop, { maxLength: 6 });

test.prop([
  chain,
  fc.constantFrom("x-forwarded-for", "forwarded"),
  fc.constantFrom("10.0.0.5", "198.51.100.1"),
])("the steps lead to whom the engine takes for the caller", (hops, header, peer) => {
  const { policy } = analyse({
    gatehouse: 1,
    name: "p",
    transport: { trust: { peers: ["10.0.0.0/24"], header } },
    routes: { "GET /": { authenticate: "none" } },
  });
  const field =
    header === "forwarded" ? hops.map((text) => `for="${text.trim()}"`).join(", ") : hops.join(",");
  const headers = [["Host", "a.test"] as const, [header, field] as const];
  const seen = seeCaller(policy, { method: "GET", target: "/", headers, remoteAddress: peer });
  const read = [peer, ...seen.hops.flatMap(({ address }) => address ?? [])];
  const last = parseAddress(read.at(-1) ?? "");
  expect(seen.client).toBe(last === undefined ? undefined : clientAddress(last, 64).ip);
  // Who is not trusted is the last, and so is what cannot be read.
  for (const { trustedAs } of seen.hops.slice(0, -1)) expect(trustedAs).toBe("10.0.0.0/24");
  if (peer !== "10.0.0.5") expect(seen.hops).toEqual([]);
});
