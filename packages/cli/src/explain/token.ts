/**
 * What of a token, unverified, already does not fit its authenticator. For words alone: nothing is admitted by it, and no value of the
 * token is repeated.
 */
import type { PolicyDocument } from "@gatehouse/core";
import { fieldOf, type WireRequest } from "./request.js";

type JwtSettings = Extract<NonNullable<PolicyDocument["authenticators"]>[string], { readonly type: "jwt" }>;
type Json = Readonly<Record<string, unknown>>;

export function tokenProblems(
  name: string,
  settings: JwtSettings,
  request: WireRequest,
  now: number,
): readonly string[] {
  const token = tokenOf(settings, request);
  if (token === undefined) return [];
  const [header, claims] = token.split(".").slice(0, 2).map(decode);
  if (header === undefined || claims === undefined)
    return [`for \`${name}\` it is no token: three parts of base64url with JSON in the first two`];
  return [...headerProblems(settings, header), ...claimProblems(settings, claims, now)].map(
    (problem) => `for \`${name}\`: ${problem}`,
  );
}

function tokenOf(settings: JwtSettings, { headers }: WireRequest): string | undefined {
  if (settings.in === "cookie") {
    const cookies = fieldOf(headers, "cookie")?.split(";") ?? [];
    return cookies
      .map((one) => one.trim())
      .find((one) => one.startsWith(`${settings.name ?? ""}=`))
      ?.replace(/^[^=]*=/u, "");
  }
  return fieldOf(headers, (settings.name ?? "authorization").toLowerCase())?.replace(/^\S+ +/u, "");
}

function decode(part: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}

function headerProblems({ algorithms, typ }: JwtSettings, header: Json): string[] {
  const problems: string[] = [];
  if (!algorithms.some((one) => one === header["alg"]))
    problems.push(`its \`alg\` is none of ${algorithms.join(", ")}`);
  const types = typ ?? ["at+jwt", "application/at+jwt", "JWT"];
  const found = header["typ"];
  const text = typeof found === "string" ? found.toLowerCase() : "";
  const fits = found === undefined ? typ === undefined : types.some((one) => one.toLowerCase() === text);
  if (!fits) problems.push(`its \`typ\` is none of ${types.join(", ")}`);
  return problems;
}

function claimProblems({ issuer, audience, maxAge }: JwtSettings, claims: Json, now: number): string[] {
  const problems: string[] = [];
  const seconds = now / 1000;
  const { exp, nbf, iat } = claims;
  if (issuer !== "unchecked" && claims["iss"] !== issuer) problems.push(`its \`iss\` is not \`${issuer}\``);
  if (audience !== "unchecked") {
    const rule =
      typeof audience === "object" && "claim" in audience
        ? audience
        : { claim: "aud", values: [audience].flat() as readonly string[] };
    const found = [claims[rule.claim]].flat();
    if (!found.some((one) => rule.values.some((value) => value === one)))
      problems.push(`its \`${rule.claim}\` is not ${rule.values.map((one) => `\`${one}\``).join(" or ")}`);
  }
  if (typeof exp !== "number") problems.push("it has no `exp`");
  else if (exp <= seconds) problems.push(`it expired ${age(seconds - exp)} ago`);
  if (typeof nbf === "number" && nbf > seconds) problems.push(`its \`nbf\` lies ${age(nbf - seconds)} ahead`);
  if (typeof iat === "number" && iat > seconds) problems.push(`its \`iat\` lies ${age(iat - seconds)} ahead`);
  if (maxAge !== undefined && typeof iat !== "number") problems.push("it has no `iat`, which `maxAge` needs");
  return problems;
}

function age(seconds: number): string {
  if (seconds < 120) return `${Math.ceil(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}
