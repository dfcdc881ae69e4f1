/** Keys, policies and bundles for the tests of policies that change. */
import type { KeyObject } from "node:crypto";
import { ecPair, ed25519Pair, rsaPair } from "../node/key-pair.js";
import type { PolicyChange, PolicyDocument, PolicyProblem } from "../index.js";
import type { BundleKey } from "./bundle.js";
import type { SigningKey } from "../node/signing.js";

export interface KeyPair {
  readonly signing: SigningKey;
  readonly pinned: BundleKey;
}

export function pairOf(kid: string, algorithm: BundleKey["algorithm"] = "Ed25519"): KeyPair {
  const { publicKey, privateKey } = generate(algorithm);
  const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
  return { signing: { kid, algorithm, privateKey }, pinned: { kid, algorithm, pem } };
}

function generate(algorithm: BundleKey["algorithm"]): { publicKey: KeyObject; privateKey: KeyObject } {
  if (algorithm.startsWith("ES")) {
    const namedCurve = { ES256: "P-256", ES384: "P-384", ES512: "P-521" }[algorithm as "ES256"];
    return ecPair(namedCurve);
  }
  if (algorithm.startsWith("E")) return ed25519Pair();
  return rsaPair();
}

/** Lets exactly `/<route>` in. */
export function policyOf(route: string, name = "served"): PolicyDocument {
  return {
    gatehouse: 1,
    name,
    transport: { https: "off" },
    routes: { [`GET /${route}`]: { authenticate: "none" } },
  };
}

/** Tests that hold for a policy that lets `/<route>` in. */
export function testsOf(route: string): object {
  return {
    policy: "unused.json",
    tests: [{ name: `/${route} is open`, request: `GET /${route}`, expect: { outcome: "admit" } }],
  };
}

/** What was told, and a way to wait for more. */
export class Told {
  readonly changes: PolicyChange[] = [];
  readonly problems: PolicyProblem[] = [];
  #waiting: (() => void)[] = [];
  readonly onChange = (change: PolicyChange): void => this.add(this.changes, change);
  readonly onProblem = (problem: PolicyProblem): void => this.add(this.problems, problem);

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  private add<T>(list: T[], one: T): void {
    list.push(one);
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
