/** The package ships no types, and those of `@types` bring a framework along. */
declare module "compression" {
  import type { IncomingMessage, ServerResponse } from "node:http";

  export default function compression(options?: {
    readonly threshold?: number;
  }): (req: IncomingMessage, res: ServerResponse, next: () => void) => void;
}
