/** What went wrong, in the store's words. Nothing of a server's text goes on: it may name keys and addresses. */
import { StoreError } from "@gatehouse/core";

type Code = StoreError["code"];

/** Answers that say the command was not run; in the text of an error that a script passes on they stand further back. */
const ANSWERS: readonly (readonly [pattern: RegExp, code: Code, message: string])[] = [
  [/\bNOSCRIPT\b/, "noscript", "the server does not know the script"],
  [/\bREADONLY\b|\bMISCONF\b|\bNOREPLICAS\b/, "readonly", "the server takes no writes"],
  [/\bOOM\b/, "oom", "the server is out of memory"],
  [/\bBUSY\b/, "busy", "the server is busy with a script"],
  [/\bCROSSSLOT\b/, "crossslot", "the keys lie in several slots"],
  [/\bMOVED\b|\bASK\b|redirection/i, "moved", "the slot is being moved"],
  [/\bNOAUTH\b|\bWRONGPASS\b|\bNOPERM\b/, "auth", "the server refuses this user"],
  [/\bLOADING\b|\bMASTERDOWN\b|\bCLUSTERDOWN\b|\bTRYAGAIN\b/, "not-ready", "the server is not ready"],
];

/** A command within a script that the user may not run: what the script did before it stays done. */
const REFUSED_WITHIN = /ACL failure in script|executing the script can't/i;

/** Errors of the clients' own that say nothing was sent. */
const UNSENT =
  /offline|isn't writeable|client is closed|is not available|ECONNREFUSED|startup nodes|root nodes|enableOfflineQueue|queue is full/i;

export function storeErrorOf(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const text = error instanceof Error ? error.message : "";
  if (REFUSED_WITHIN.test(text))
    return new StoreError("auth", true, "the server refuses this user a command of the store's");
  for (const [pattern, code, message] of ANSWERS) {
    if (pattern.test(text)) return new StoreError(code, false, message);
  }
  if (UNSENT.test(text)) return new StoreError("not-ready", false, "there is no connection to the server");
  if (isReply(error)) return new StoreError("protocol", true, "the server answered with an error");
  return new StoreError("connection", true, "the connection to the server was lost");
}

export function isNoScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("NOSCRIPT");
}

function isReply(error: unknown): boolean {
  return (
    error instanceof Error &&
    /ReplyError|ErrorReply|SimpleError/.test(`${error.name} ${error.constructor.name}`)
  );
}
