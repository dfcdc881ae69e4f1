/** Points of the curves that JSON Web Keys name, in the one form that random bytes do not have: with both coordinates. */
import { toHex } from "./bytes.js";

interface Curve {
  /** Bytes of a coordinate. */
  readonly size: number;
  readonly prime: bigint;
  readonly b: bigint;
}

/** FIPS 186-4 appendix D.1.2: y² = x³ − 3x + b modulo the prime. */
const CURVES: readonly Curve[] = [
  {
    size: 32,
    prime: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  },
  {
    size: 48,
    prime: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
  },
  {
    size: 66,
    prime: 2n ** 521n - 1n,
    b: 0x0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
  },
];

/** SEC 1 section 2.3.3, uncompressed: how WebCrypto exports a raw key, and how senders of web push publish theirs. */
const UNCOMPRESSED = 0x04;

export function isCurvePoint(bytes: Uint8Array): boolean {
  if (bytes[0] !== UNCOMPRESSED) return false;
  return CURVES.some((curve) => bytes.length >= 1 + 2 * curve.size && isOn(curve, bytes));
}

function isOn({ size, prime, b }: Curve, bytes: Uint8Array): boolean {
  const x = numberOf(bytes.subarray(1, 1 + size));
  const y = numberOf(bytes.subarray(1 + size, 1 + 2 * size));
  if (x >= prime || y >= prime) return false;
  return (y * y - (x * x * x - 3n * x + b)) % prime === 0n;
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes)}`);
}
