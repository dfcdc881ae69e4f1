/** A credential with these roles and scopes: written where a credential says them, found where the policy does, holder by holder. */
import type { PolicyDocument } from "@gatehouse/core";
import type { TestCredential } from "@gatehouse/core/testing";

type Settings = NonNullable<PolicyDocument["authenticators"]>[string];

export interface Rights {
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
}

/** Undefined where nobody has it. */
export function credentialWith(settings: Settings, { roles, scopes }: Rights): TestCredential | undefined {
  switch (settings.type) {
    case "mtls":
      return holderAmong(settings.match, { roles, scopes });
    case "http-signature":
      return holderAmong(settings.keys, { roles, scopes });
    case "signature":
      // Every sender of such webhooks is the same.
      return isSame(constantOf(settings.principal?.["roles"]), roles) &&
        includes(constantOf(settings.principal?.["scopes"]), scopes)
        ? {}
        : undefined;
    default:
      return {
        id: "somebody",
        ...(roles.length === 0 ? {} : { roles }),
        ...(scopes.length === 0 ? {} : { scopes }),
      };
  }
}

/** What comes beside a principal: whose it is asks nobody. */
export function anyCredential(settings: Settings, rights: Rights): TestCredential | undefined {
  if (settings.type === "mtls") return settings.match[0] && { id: settings.match[0].id };
  if (settings.type === "http-signature") return settings.keys[0] && { id: settings.keys[0].id };
  return settings.type === "signature" ? {} : credentialWith(settings, rights);
}

interface Listed extends Partial<Rights> {
  readonly id: string;
}

/** The one with the least beyond what is asked for. Of several entries with one `id` the first is meant. */
function holderAmong(entries: readonly Listed[], { roles, scopes }: Rights): TestCredential | undefined {
  const fitting = entries.filter(
    (one) =>
      entries.find(({ id }) => id === one.id) === one &&
      isSame(one.roles ?? [], roles) &&
      includes(one.scopes ?? [], scopes),
  );
  const [least] = fitting.sort((a, b) => (a.scopes?.length ?? 0) - (b.scopes?.length ?? 0));
  return least && { id: least.id };
}

function constantOf(source: unknown): readonly string[] {
  const value: unknown =
    typeof source === "object" && source !== null && "value" in source ? source.value : [];
  const values = Array.isArray(value) ? (value as readonly unknown[]) : String(value).split(" ");
  return values.filter((one) => typeof one === "string");
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return new Set(a).size === new Set(b).size && includes(a, b);
}

function includes(all: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((one) => all.includes(one));
}
