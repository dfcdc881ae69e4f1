/** How `--key NAME:KEYID=FILE` spells the id of a key: the first `=` ends it, so one that stands in it is written as in a URL. */

/** As it stands on the command line. */
export function writtenKeyId(id: string): string {
  return id.replaceAll(/%(?=3D|25)/giu, "%25").replaceAll("=", "%3D");
}

/** Nothing else is decoded: an id that holds any other `%` is written as it is. */
export function readKeyId(written: string): string {
  return written.replaceAll(/%(3D|25)/giu, (_, code: string) => (code === "25" ? "%" : "="));
}
