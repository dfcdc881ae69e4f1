/** Where credentials stand in a request, and how one is put in place of another. */
import type { ResolvedAuthenticator } from "@gatehouse/core/analysis";
import type { SentRequest } from "@gatehouse/core/testing";

export type Sendable = Pick<SentRequest, "method" | "target" | "headers" | "content">;

export function replaced(
  request: Sendable,
  { carrier }: Pick<ResolvedAuthenticator, "carrier">,
  change: (text: string) => string,
): Sendable {
  if (carrier.in === "query") {
    const pattern = new RegExp(`([?&]${encodeURIComponent(carrier.name)}=)([^&]*)`, "u");
    const target = request.target.replace(
      pattern,
      (_all, start: string, text: string) => start + encodeURIComponent(change(decodeURIComponent(text))),
    );
    return { ...request, target };
  }
  const wanted = carrier.in === "cookie" ? "cookie" : carrier.name;
  const headers = request.headers.map(([name, value]) =>
    name.toLowerCase() === wanted
      ? ([name, inField(value, carrier, change)] as const)
      : ([name, value] as const),
  );
  return { ...request, headers };
}

function inField(
  value: string,
  carrier: ResolvedAuthenticator["carrier"],
  change: (text: string) => string,
): string {
  if (carrier.in === "cookie")
    return value
      .split("; ")
      .map((pair) => {
        const [name = "", ...rest] = pair.split("=");
        return name === carrier.name ? `${name}=${change(rest.join("="))}` : pair;
      })
      .join("; ");
  const [, scheme = "", text = ""] = /^(\S+ )?([^]*)$/u.exec(value) ?? [];
  return carrier.scheme === undefined ? change(value) : scheme + change(text);
}

/** What stands there; empty: nothing. */
export function carriedBy(request: Sendable, authenticator: Pick<ResolvedAuthenticator, "carrier">): string {
  let found = "";
  replaced(request, authenticator, (text) => (found = text));
  return found;
}

/** The first of that name; undefined: none. */
export function fieldOf({ headers }: Sendable, name: string): string | undefined {
  return headers.find(([one]) => one.toLowerCase() === name)?.[1];
}

export function without(request: Sendable, ...names: readonly string[]): Sendable {
  return { ...request, headers: request.headers.filter(([name]) => !names.includes(name.toLowerCase())) };
}

/** In its place; where there is none it stays away. */
export function withField(request: Sendable, name: string, value: string): Sendable {
  const headers = request.headers.map((field) =>
    field[0].toLowerCase() === name ? ([field[0], value] as const) : field,
  );
  return { ...request, headers };
}
