/** `response.encode`: JSON that the engine writes goes out safe for HTML and script contexts. */
import { escapeJson } from "../../lib/json-escape.js";
import type { CompiledKind } from "../../model/kind.js";

export function compileEncode(): CompiledKind {
  return { encode: (route) => (route.response.encode ? escapeJson : undefined) };
}
