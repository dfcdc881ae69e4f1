/** Texts of each format, and a text of none. */

export const FORMAT_EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  "date-time": ["2026-06-01T12:00:00Z", "2024-02-29T23:59:59.5+02:00"],
  date: ["2026-06-01", "2024-02-29"],
  time: ["12:00:00Z", "23:59:59+02:00"],
  duration: ["P1D", "PT1H30M"],
  email: ["ann@example.com", "a.b+c@example.org"],
  hostname: ["example.com", "a-b.example"],
  ipv4: ["192.0.2.1", "203.0.113.255"],
  ipv6: ["2001:db8::1", "::1"],
  uri: ["https://example.com/a?b=c", "urn:isbn:0451450523"],
  "uri-reference": ["/a/b?c=d", "https://example.com/"],
  iri: ["https://example.com/a", "urn:isbn:0451450523"],
  "iri-reference": ["/a/b?c=d", "https://example.com/"],
  "uri-template": ["https://example.com/{id}", "/orders/{id}"],
  uuid: ["7d444840-9dc0-4a5b-9d2a-000000000001", "01a20bd0-b583-77c6-a28e-bc8664580cc7"],
  "json-pointer": ["/a/b", ""],
  "relative-json-pointer": ["0", "1/a"],
};

/** Of no format: a blank, and a brace that is never closed. */
export const NO_FORMAT = "no such format {";
