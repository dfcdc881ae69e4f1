/** Passwords of people: one throwaway password for all users, since what tells them apart is their record. */
import { randomBytes, scryptSync } from "node:crypto";
import { pointerTo } from "../lib/pointer.js";
import type { BasicSettings } from "../model/policy.js";
import { refuseMembers, type CredentialParts, type IssuedCredential } from "./credentials.js";

const PASSWORD = randomBytes(16).toString("hex");
const SALT = randomBytes(16);
/** The least work that a record may ask for: nobody is to guess this one. */
const COST = { N: 2 ** 14, r: 8, p: 1 };

let hashed: string | undefined;

/** In the PHC string format. Made when it is first asked for: it takes a while. */
function hashOfPassword(): string {
  hashed ??= `$scrypt$ln=14,r=8,p=1$${unpadded(SALT)}$${unpadded(scryptSync(PASSWORD, SALT, 32, COST))}`;
  return hashed;
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replaceAll("=", "");
}

export function planPassword(parts: CredentialParts, { users }: BasicSettings): IssuedCredential {
  const { authenticator, credential, key, name, pointer, report, expires } = parts;
  refuseMembers(parts, ["claims"], "a user has no claims: write `attributes`");
  refuseMembers(parts, ["header"], "a password has no header: only a token has");
  const { id = name, roles = [], scopes = [], attributes = {}, routes, forged = false } = credential;
  if (/[:\p{Cc}]/u.test(id))
    report.error(
      "unknown-value",
      pointerTo(pointer, "id"),
      "`id` has a colon or a control character, which Basic cannot say",
      "write another",
    );
  const text = Buffer.from(`${id}:${forged ? key : PASSWORD}`).toString("base64");
  const of = (start: number): unknown => ({
    id,
    scrypt: hashOfPassword(),
    roles,
    scopes,
    attributes,
    ...(routes === undefined ? {} : { routes }),
    ...(expires === undefined ? {} : { expires: new Date(expires(start)).toISOString() }),
  });
  return { authenticator, text: () => text, user: { reference: users.secret, id: id.normalize("NFC"), of } };
}
