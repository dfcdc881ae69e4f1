/** An address that an option names. Read as none, a mistyped one would answer a question that nobody asked. */
import { isIP } from "node:net";
import type { Input } from "../cli/input.js";
import { UsageError } from "../cli/io.js";

/** @throws UsageError where it is no address */
export function addressFrom(input: Input, option: string): string | undefined {
  const address = input.text(option);
  if (address !== undefined && isIP(address) === 0) throw new UsageError(`\`--${option}\` is no IP address`);
  return address;
}
