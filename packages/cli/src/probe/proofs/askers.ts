/** Who signs messages or shows certificates: whom there is, and what they may, the policy says one by one. */
import type { ResolvedAuthenticator, ResolvedRoute } from "@gatehouse/core/analysis";
import type { Inquirer } from "../inquiry.js";
import type { Asker } from "../question.js";

/** Those whom a route may admit by that alone. */
export function signersOf(
  { authenticate }: ResolvedRoute,
  { keyring }: Pick<Inquirer, "keyring">,
): readonly Asker[] {
  const sole = authenticate.anyOf.flatMap((all) => (all.length === 1 ? all : []));
  return [...new Set(sole)].flatMap((authenticator) =>
    idsOf(authenticator, keyring.signerOf(authenticator.name)).map((id) => ({
      name: `somebody by ${authenticator.name}`,
      person: { authenticator: authenticator.name, id },
      genuine: true,
    })),
  );
}

/** More of one route show nothing new. */
const MOST = 8;

function idsOf({ settings }: ResolvedAuthenticator, signer: string | undefined): readonly string[] {
  // Where a certificate was handed over it says who somebody is, whichever of them is named.
  if (settings.type === "mtls") return settings.match.slice(0, MOST).map(({ id }) => id);
  if (settings.type !== "http-signature") return [];
  return signer === undefined ? [...new Set(settings.keys.map(({ id }) => id))].slice(0, MOST) : [signer];
}
