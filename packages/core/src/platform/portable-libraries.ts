/**
 * Libraries that some policies need and others do not, where nothing can be loaded synchronously: all of them from the start. Bundlers
 * take this half for Node as well (the condition `module`): what is asked for by name at run time, they would leave behind.
 */
import { parse } from "@humanwhocodes/momoa";
import { RE2JS } from "re2js";
import * as StructuredFields from "structured-headers";

export const linearPatterns = (): typeof RE2JS => RE2JS;
export const jsonTree = (): typeof parse => parse;
export const structuredFields = (): typeof StructuredFields => StructuredFields;
