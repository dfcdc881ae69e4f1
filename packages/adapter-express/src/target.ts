/** Is what express routes still what the policy decided? */
import type { ExpressRequest } from "./express.js";

/** In front of the path of an absolute-form target; express keeps it when it cuts mount paths off. */
export function originOf(target: string): string {
  if (target.startsWith("/")) return "";
  const query = target.indexOf("?");
  const scheme = target.indexOf("://");
  if (scheme < 0 || (query >= 0 && query < scheme)) return "";
  const slash = target.indexOf("/", scheme + 3);
  return slash < 0 ? target : target.slice(0, slash);
}

/**
 * True while mount path and rest make up the target, as express itself leaves them.
 * @param origin of `target`, by `originOf`
 */
export function isTarget(
  { url = "", baseUrl = "" }: ExpressRequest,
  target: string,
  origin: string,
): boolean {
  if (baseUrl === "") return url === target;
  if (!url.startsWith(origin)) return false;
  const rest = url.slice(origin.length);
  const whole = target.slice(origin.length);
  if (baseUrl + rest === whole) return true;
  // A path that ends with its mount path gets a slash of express's own.
  return (rest === "/" || rest.startsWith("/?")) && baseUrl + rest.slice(1) === whole;
}
