/** The way out of a policy in shadow. */
import { namedUrl } from "../lib/outward-url.js";
import type { OutwardCall } from "../ports/outward.js";

/**
 * Keys are fetched, which tells nobody anything. What is posted has a credential of the caller's in it, and may have been posted already.
 * @param lacks is told whom nobody asks
 */
export function withoutPosts(call: OutwardCall, lacks: (what: string) => void): OutwardCall {
  return (request) => {
    if (request.method !== "POST") return call(request);
    lacks(namedUrl(request.url));
    return Promise.resolve({ kind: "failure", reason: "nobody is asked about a credential twice" });
  };
}
