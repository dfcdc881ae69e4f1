/** Values of `format` that the policy language asserts. Any other is an error: an author would believe in a check that nobody makes. */
export const FORMAT_NAMES = [
  "date-time",
  "date",
  "time",
  "duration",
  "email",
  "hostname",
  "ipv4",
  "ipv6",
  "uri",
  "uri-reference",
  "iri",
  "iri-reference",
  "uri-template",
  "uuid",
  "json-pointer",
  "relative-json-pointer",
] as const;

export type FormatName = (typeof FORMAT_NAMES)[number];
