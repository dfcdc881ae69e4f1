/** The kind `encode`: the escaping of JSON on its way out. No body rule by itself, so it withholds nothing. */
import type { Kind } from "../../model/kind.js";
import { compileEncode } from "./compile.js";

export const encodeKind: Kind = {
  name: "encode",
  // A boolean has nothing to be checked against.
  check: () => undefined,
  compile: () => compileEncode(),
};
