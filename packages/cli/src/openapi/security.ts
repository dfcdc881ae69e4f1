/** Security schemes and what operations ask of them. */
import type { Items } from "./list.js";
import type { Need, Scheme } from "./model.js";
import { childPlace, type Documents, type Place } from "./references.js";
import { sourceOf } from "./schema.js";
import { isObject, listOf, member, textOf } from "./source.js";

export function readSecurity(own: Place, document: Place): readonly (readonly Need[])[] | undefined {
  const value = own.value ?? document.value;
  if (!Array.isArray(value)) return undefined;
  return value.map((one) =>
    Object.entries(isObject(one) ? one : {}).map(([scheme, scopes]) => ({
      scheme,
      scopes: listOf(scopes).flatMap((scope) => (typeof scope === "string" ? [scope] : [])),
    })),
  );
}

export function readSchemes(
  root: Place,
  documents: Documents,
  items: Items,
): Readonly<Record<string, Scheme>> {
  const schemes = childPlace(root, "components", "securitySchemes");
  const names = Object.keys(isObject(schemes.value) ? schemes.value : {});
  return Object.fromEntries(
    names.map((name) => [name, schemeOf(documents.resolve(childPlace(schemes, name)), items)]),
  );
}

function schemeOf(place: Place, items: Items): Scheme {
  const text = (key: string): string => textOf(member(place.value, key)) ?? "";
  switch (text("type")) {
    case "http":
      if (text("scheme").toLowerCase() !== "bearer")
        return { kind: "http", scheme: text("scheme") || "Basic" };
      return { kind: "jwt", issuer: undefined };
    case "oauth2":
      return { kind: "jwt", issuer: undefined };
    case "openIdConnect":
      return { kind: "jwt", issuer: issuerOf(text("openIdConnectUrl")) };
    case "apiKey": {
      const carrier = text("in");
      if ((carrier === "header" || carrier === "query" || carrier === "cookie") && text("name") !== "")
        return { kind: "api-key", in: carrier, name: text("name") };
      break;
    }
    case "mutualTLS":
      return { kind: "mutual-tls" };
  }
  items.add({
    kind: "lost",
    code: "scheme",
    source: sourceOf(place),
    message: "the security scheme is of no kind that OpenAPI knows; routes that ask for it are closed",
  });
  return { kind: "unknown" };
}

/** OpenID Connect Discovery 1.0, section 4. */
function issuerOf(url: string): string | undefined {
  const [, issuer] = /^(https:\/\/[!-~]+?)\/?\.well-known\/openid-configuration$/u.exec(url) ?? [];
  return issuer;
}
