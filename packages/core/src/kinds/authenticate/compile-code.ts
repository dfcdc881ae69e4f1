/** Authenticators that need the application: API keys that it lists or finds, and credentials that it verifies itself. */
import { didYouMean } from "../../errors/did-you-mean.js";
import { strictText } from "../../lib/bytes.js";
import { pointerTo } from "../../lib/pointer.js";
import type { CompileEnvironment } from "../../model/kind.js";
import type { ApiKeySettings, CustomSettings } from "../../model/policy.js";
import type { ResolvedPolicy } from "../../model/resolved.js";
import { listedKeyJudge, lookupKeyJudge } from "./api-key.js";
import { compileRecord } from "./api-key-records.js";
import { checkRecords } from "./check-api-key.js";
import type { Judge } from "./credential.js";
import { customJudge } from "./custom.js";
import { FailureGuard } from "./failure-guard.js";
import type { IdentityMaker } from "./identity.js";
import { telling } from "./last-seen.js";
import { isList, parseJson } from "./strict-json.js";

export interface ApiKeyParts {
  readonly name: string;
  readonly pointer: string;
  readonly settings: ApiKeySettings;
  readonly identify: IdentityMaker;
  readonly policy: ResolvedPolicy;
  readonly environment: CompileEnvironment;
}

export async function compileApiKey(parts: ApiKeyParts): Promise<Judge | undefined> {
  const { settings, environment } = parts;
  const judge = await compileFinding(parts);
  const { lastSeen: name } = settings;
  if (judge === undefined || name === undefined) return judge;
  const tell = ownEntry(environment.lastSeen, name);
  if (tell !== undefined) return telling(judge, tell, parts.name);
  reportUnknown("lastSeen", name, environment.lastSeen, pointerTo(parts.pointer, "lastSeen"), environment);
  return undefined;
}

async function compileFinding(parts: ApiKeyParts): Promise<Judge | undefined> {
  const { settings, identify, environment } = parts;
  const { keys } = settings;
  const pointer = pointerTo(parts.pointer, "keys");
  const equal = environment.platform.equalInConstantTime;
  if ("lookup" in keys) {
    const lookup = ownEntry(environment.lookups, keys.lookup);
    if (lookup !== undefined)
      return lookupKeyJudge(lookup, {
        name: keys.lookup,
        pointer,
        identify,
        equal,
        guard: new FailureGuard(settings.failures, pointer),
        prefix: settings.prefix,
      });
    reportUnknown("lookups", keys.lookup, environment.lookups, pointerTo(pointer, "lookup"), environment);
    return undefined;
  }
  const records = "secret" in keys ? await recordsOfSecret(keys.secret, pointer, parts) : keys;
  return listedKeyJudge(
    records.flatMap((record) => compileRecord(record, identify) ?? []),
    equal,
    settings.prefix,
  );
}

async function recordsOfSecret(
  reference: string,
  pointer: string,
  { policy, environment }: ApiKeyParts,
): Promise<readonly unknown[]> {
  const bytes = await environment.secret(reference, pointer);
  if (bytes === undefined) return [];
  const records = parseJson((strictText(bytes) ?? "").replace(/^\uFEFF/u, ""));
  if (!isList(records)) {
    environment.report.error(
      "invalid-api-key",
      pointer,
      `\`${reference}\` holds no JSON list of key records`,
    );
    return [];
  }
  checkRecords(records, () => pointer, policy, environment.report);
  return records;
}

export function compileCustom(
  pointer: string,
  settings: CustomSettings,
  identify: IdentityMaker,
  environment: CompileEnvironment,
): Judge | undefined {
  const code = ownEntry(environment.authenticators, settings.use);
  if (code !== undefined) return customJudge({ settings, pointer, code, identify });
  reportUnknown(
    "authenticators",
    settings.use,
    environment.authenticators,
    pointerTo(pointer, "use"),
    environment,
  );
  return undefined;
}

function ownEntry<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function reportUnknown(
  option: string,
  name: string,
  given: Readonly<Record<string, unknown>>,
  pointer: string,
  { report }: CompileEnvironment,
): void {
  const help = didYouMean(name, Object.keys(given)) ?? `hand it to createEngine in \`${option}\``;
  report.error("unknown-function", pointer, `\`${option}\` has no function \`${name}\``, help);
}
