/** What may be chosen, apart from what does it: help must not load the engine. */
export const AUDIT_FORMATS = ["pretty", "json", "markdown", "html", "sarif"] as const;
export type AuditFormat = (typeof AUDIT_FORMATS)[number];

/** Gravest first. */
export const SEVERITIES = ["high", "medium", "low", "info"] as const;
export type Severity = (typeof SEVERITIES)[number];
