/** What a problem says to a caller: the rule in words, the author's number at most, never the caller's value. */

const MESSAGES = {
  false: "is not allowed",
  type: "must be of type $",
  enum: "must be one of the listed values",
  const: "must be the one allowed value",
  multipleOf: "must be a multiple of $",
  minimum: "must be at least $",
  maximum: "must be at most $",
  exclusiveMinimum: "must be more than $",
  exclusiveMaximum: "must be less than $",
  "unsafe-integer": "must be an integer between -(2^53 - 1) and 2^53 - 1",
  minLength: "must have at least $ characters",
  maxLength: "must have at most $ characters",
  pattern: "does not have the required form",
  format: "must have the format $",
  allowedUrl: "must be a URL of an allowed server",
  required: "is required",
  dependentRequired: "is required beside another member",
  minProperties: "must have at least $ members",
  maxProperties: "must have at most $ members",
  propertyNames: "has a name that is not allowed",
  additionalProperties: "is not allowed here",
  unevaluatedProperties: "is not allowed here",
  unknown: "is not known here",
  minItems: "must have at least $ items",
  maxItems: "must have at most $ items",
  uniqueItems: "must not have an item twice",
  contains: "has too few items of the required kind",
  maxContains: "has too many items of one kind",
  unevaluatedItems: "is not allowed here",
  anyOf: "fits none of the alternatives",
  oneOf: "must fit exactly one of the alternatives",
  not: "is of a kind that is not allowed",
  schema: "is not as the schema demands",
} as const;

export type ProblemRule = keyof typeof MESSAGES;

export function messageFor(rule: ProblemRule, detail?: string | number): string {
  return MESSAGES[rule].replace("$", () => String(detail ?? ""));
}
