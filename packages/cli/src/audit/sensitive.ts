/** Routes by whose paths passwords, codes or sessions are guessed at. */
const SENSITIVE =
  /(?:^|[/_-])(?:log-?in|sign-?in|token|tokens|password|passwd|forgot|reset|recover|otp|mfa|2fa|verify|verification|register|registration|sign-?up|session|sessions)(?:$|[/_-])/iu;

export function isSensitive(path: string): boolean {
  return SENSITIVE.test(path);
}
