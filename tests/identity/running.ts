/** One real authorization server for all tests of a file. */
import { afterAll, beforeAll, vi } from "vitest";
import { Issuer, key } from "./issuer.js";

export function runningIssuer(): Issuer {
  const issuer = new Issuer();
  beforeAll(async () => {
    // It is no production, and needs not be told so.
    for (const level of ["info", "warn"] as const)
      vi.spyOn(console, level).mockImplementation(() => undefined);
    await issuer.start();
    issuer.sign(key("k0"));
  });
  afterAll(async () => {
    vi.restoreAllMocks();
    await issuer.stop();
  });
  return issuer;
}
