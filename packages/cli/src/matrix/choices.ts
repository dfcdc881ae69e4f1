/** What may be chosen, apart from what does it: help must not load the engine. */
export const MATRIX_FORMATS = ["markdown", "csv", "html", "json"] as const;
export type MatrixFormat = (typeof MATRIX_FORMATS)[number];
