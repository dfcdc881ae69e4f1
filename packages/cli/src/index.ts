/** The commands as functions: what `gatehouse` prints can be had without a process. */
export { check, type CheckedText } from "./check/check.js";
export { formatJson } from "./check/json.js";
export { formatPretty, type PrettyOptions } from "./check/pretty.js";
export { formatSarif } from "./check/sarif.js";
