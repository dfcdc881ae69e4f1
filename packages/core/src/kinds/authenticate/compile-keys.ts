/** `keys` of a jwt authenticator → a table of prepared keys. What cannot verify anything is told now, not at the first request. */
import { Report } from "../../errors/diagnostics.js";
import { strictText } from "../../lib/bytes.js";
import { isJwsAlgorithm, JWS_ALGORITHMS, type JwsAlgorithm } from "../../lib/jws.js";
import { pointerTo } from "../../lib/pointer.js";
import type { CompileEnvironment } from "../../model/kind.js";
import type { JwtSettings } from "../../model/policy.js";
import { sharedSecret } from "../../model/shared-secret.js";
import type { KeyMaterial, SignatureVerifier } from "../../ports/platform.js";
import { anyOf } from "./any-verifier.js";
import { usableKeys, type UsableKey } from "./jwks.js";
import { KeyTable } from "./key-table.js";
import { isList, isObject, parseJson } from "./strict-json.js";

/** Keys that are here when the policy is compiled. */
export interface LocalSettings extends JwtSettings {
  readonly keys: Exclude<JwtSettings["keys"], { readonly discovery: unknown }>;
}

export async function compileKeys(
  settings: LocalSettings,
  base: string,
  environment: CompileEnvironment,
): Promise<KeyTable> {
  const { keys } = settings;
  const pointer = pointerTo(base, "keys");
  if ("jwks" in keys) return compileSet(settings, keys.jwks, pointerTo(pointer, "jwks"), environment);
  const table = new KeyTable(false);
  const materials = await singleKey(settings.algorithms, keys, pointer, environment);
  for (const algorithm of settings.algorithms)
    await addKey(table, undefined, algorithm, materials, pointer, environment);
  return table;
}

/** The key, and those that it replaced not long ago: what was signed with one of them is still good. None: what is wrong was reported. */
async function singleKey(
  algorithms: readonly string[],
  keys: Exclude<LocalSettings["keys"], { readonly jwks: unknown }>,
  pointer: string,
  environment: CompileEnvironment,
): Promise<readonly KeyMaterial[]> {
  if ("secret" in keys) {
    const leastBytes = Math.max(
      ...algorithms.filter(isJwsAlgorithm).map((one) => JWS_ALGORITHMS[one].hashBytes),
    );
    const shared = await sharedSecret(keys, pointer, { leastBytes }, environment);
    return shared === undefined ? [] : [shared.current, ...shared.former].map((secret) => ({ secret }));
  }
  if (typeof keys.pem === "string") return [{ pem: keys.pem }];
  const { secret: reference } = keys.pem;
  const bytes = await environment.secret(reference, pointerTo(pointer, "pem"));
  if (bytes === undefined) return [];
  const pem = strictText(bytes);
  if (pem === undefined) {
    environment.report.error("invalid-key", pointerTo(pointer, "pem"), "the PEM is no text");
    return [];
  }
  const former = ((await environment.formerSecrets?.(reference)) ?? []).map(strictText);
  return [pem, ...former.filter((text) => text !== undefined)].map((text) => ({ pem: text }));
}

async function compileSet(
  settings: JwtSettings,
  jwks: string | { readonly keys: readonly unknown[] },
  pointer: string,
  environment: CompileEnvironment,
): Promise<KeyTable> {
  const table = new KeyTable(true);
  // An inline set was reported on by the check, which always runs before.
  const keys =
    typeof jwks === "string"
      ? await keysOfFile(jwks, settings, pointer, environment)
      : usableKeys(
          jwks.keys,
          settings.algorithms,
          (index) => pointerTo(pointer, "keys", index),
          new Report(),
        );
  for (const key of keys) {
    for (const algorithm of key.algorithms) {
      await addKey(table, key.kid, algorithm, [{ jwk: key.jwk }], key.pointer, environment);
    }
  }
  return table;
}

async function keysOfFile(
  path: string,
  settings: JwtSettings,
  pointer: string,
  environment: CompileEnvironment,
): Promise<readonly UsableKey[]> {
  const { report } = environment;
  const set = await readSet(path, pointer, environment);
  if (set === undefined) return [];
  const usable = usableKeys(set, settings.algorithms, () => pointer, report);
  if (usable.length === 0) {
    report.error(
      "no-usable-key",
      pointer,
      `\`${path}\` holds no key that fits the \`algorithms\``,
      "with no key every token is refused",
    );
  }
  return usable;
}

async function readSet(
  path: string,
  pointer: string,
  environment: CompileEnvironment,
): Promise<readonly unknown[] | undefined> {
  const { report } = environment;
  const file = await environment.textFile?.(path);
  if (file === undefined) {
    report.error(
      "no-files",
      pointer,
      `\`${path}\` cannot be read: this platform has no files`,
      "write the JWK Set into the policy",
    );
    return undefined;
  }
  if ("problem" in file) {
    report.error("unreadable-file", pointer, file.problem, "the path is relative to the policy file");
    return undefined;
  }
  const set = parseJson(file.text);
  if (isObject(set) && isList(set["keys"])) return set["keys"];
  report.error(
    "invalid-key",
    pointer,
    `\`${path}\` holds no JWK Set`,
    'a JWK Set is `{ "keys": [ … ] }` (RFC 7517 section 5)',
  );
  return undefined;
}

/** @param materials the key itself, and then those that it replaced */
async function addKey(
  table: KeyTable,
  kid: string | undefined,
  algorithm: string,
  [material, ...former]: readonly KeyMaterial[],
  pointer: string,
  environment: CompileEnvironment,
): Promise<void> {
  if (!isJwsAlgorithm(algorithm) || material === undefined) return;
  const { prepareKey } = environment.platform;
  try {
    const verifiers = [await prepareKey(algorithm, material)];
    for (const one of former) verifiers.push(...(await prepared(prepareKey, algorithm, one)));
    table.add(kid, anyOf(verifiers));
  } catch (error) {
    environment.report.error(
      "invalid-key",
      pointer,
      error instanceof Error ? error.message : "the key cannot be used",
    );
  }
}

/** One that was good for another algorithm is left out: it is on its way out anyhow. */
async function prepared(
  prepareKey: CompileEnvironment["platform"]["prepareKey"],
  algorithm: JwsAlgorithm,
  material: KeyMaterial,
): Promise<readonly SignatureVerifier[]> {
  try {
    return [await prepareKey(algorithm, material)];
  } catch {
    return [];
  }
}
