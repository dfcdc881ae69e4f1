/** Errors as Node names them: frameworks ask for the code. */

export function headersSent(verb: string): Error {
  return coded(
    new Error(`Cannot ${verb} headers after they are sent to the client`),
    "ERR_HTTP_HEADERS_SENT",
  );
}

export function coded(error: Error, code: string): Error {
  return Object.assign(error, { code });
}
