/** The version of this package. */
import { createRequire } from "node:module";

/** By the package's own name, so that it is found from the sources and from the bundle alike. */
export function version(): string {
  const found: unknown = createRequire(import.meta.url)("gatehouse/package.json");
  return typeof found === "object" && found !== null && "version" in found ? String(found.version) : "0.0.0";
}
