/**
 * HalfSipHash-2-4 with 64 bits of output (Aumasson and Bernstein). Keyed, so that nobody outside can choose texts that collide;
 * 32-bit arithmetic, so that it is quick in JavaScript. For tables inside one process; it is no digest.
 */
export class KeyedHash {
  /** The two halves of the last `update`: fields, so that hashing allocates nothing. */
  first = 0;
  second = 0;

  constructor(
    private readonly key0: number,
    private readonly key1: number,
  ) {}

  update(text: string): void {
    let v0 = this.key0 | 0;
    let v1 = (this.key1 ^ 0xee) | 0;
    let v2 = (this.key0 ^ 0x6c796765) | 0;
    let v3 = (this.key1 ^ 0x74656462) | 0;
    const words = text.length >> 1;
    // Words of the message, one word with its odd unit and length, then the two finalizations of four rounds.
    for (let step = 0; step < words + 9; step++) {
      const word = step < words ? wordAt(text, step) : step === words ? lastWord(text) : 0;
      if (step === words + 1) v2 ^= 0xee;
      if (step === words + 5) {
        this.first = (v1 ^ v3) >>> 0;
        v1 ^= 0xdd;
      }
      v3 ^= word;
      for (let round = step <= words ? 2 : 1; round > 0; round--) {
        v0 = (v0 + v1) | 0;
        v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
        v0 = (v0 << 16) | (v0 >>> 16);
        v2 = (v2 + v3) | 0;
        v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
        v0 = (v0 + v3) | 0;
        v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
        v2 = (v2 + v1) | 0;
        v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
        v2 = (v2 << 16) | (v2 >>> 16);
      }
      v0 ^= word;
    }
    this.second = (v1 ^ v3) >>> 0;
  }
}

/** Two UTF-16 code units make a word. */
function wordAt(text: string, index: number): number {
  return text.charCodeAt(2 * index) | (text.charCodeAt(2 * index + 1) << 16);
}

function lastWord(text: string): number {
  const odd = (text.length & 1) === 1 ? text.charCodeAt(text.length - 1) : 0;
  return (text.length << 24) ^ odd;
}
