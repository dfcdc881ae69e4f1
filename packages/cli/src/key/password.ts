/** A password as it may be kept: slow to guess, in the PHC string format. */
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";

export interface PasswordRecord {
  readonly id: string;
  /** `$scrypt$ln=17,r=8,p=1$salt$hash`, salt and hash in base64 without padding. */
  readonly scrypt: string;
}

/** OWASP's least for scrypt: 128 MiB for each guess. */
const LOG_N = 17;
const R = 8;
const P = 1;
const SALT_BYTES = 16;
const HASH_BYTES = 32;

export async function makePasswordRecord(id: string, password: string): Promise<PasswordRecord> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, salt, LOG_N, R, P);
  return { id, scrypt: `$scrypt$ln=${LOG_N},r=${R},p=${P}$${unpadded(salt)}$${unpadded(hash)}` };
}

/** Whether a password is that of a record. False for a record that is none of ours. */
export async function isPasswordOf({ scrypt: text }: PasswordRecord, password: string): Promise<boolean> {
  const parts = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]{43})$/u.exec(text);
  if (parts === null) return false;
  const [, logN, r, p, salt = "", hash = ""] = parts;
  if (Number(logN) > 20 || Number(r) > 16 || Number(p) > 16) return false;
  const found = await derive(password, Buffer.from(salt, "base64"), Number(logN), Number(r), Number(p));
  return timingSafeEqual(found, Buffer.from(hash, "base64"));
}

/** Two spellings of one character are one password, as RFC 8265 wants of Basic (RFC 7617 section 2.1). */
function derive(password: string, salt: Buffer, logN: number, r: number, p: number): Promise<Buffer> {
  const options = { N: 2 ** logN, r, p, maxmem: 256 * 2 ** logN * r };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFC"), salt, HASH_BYTES, options, (error, hash) => {
      if (error === null) resolve(hash);
      else reject(error);
    });
  });
}

function unpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replaceAll("=", "");
}
