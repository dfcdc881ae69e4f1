/** Every policy kind. The order here decides nothing: stages are sorted by `stages.ts`. */
import { authenticateKind } from "../kinds/authenticate/index.js";
import { authorizeKind } from "../kinds/authorize/index.js";
import { corsKind } from "../kinds/cors/index.js";
import { csrfKind } from "../kinds/csrf/index.js";
import { encodeKind } from "../kinds/encode/index.js";
import { errorShapeKind } from "../kinds/error-shape/index.js";
import { headersKind } from "../kinds/headers/index.js";
import { limitKind } from "../kinds/limit/index.js";
import { recordKind } from "../kinds/record/index.js";
import { redactKind } from "../kinds/redact/index.js";
import { sanitizeKind } from "../kinds/sanitize/index.js";
import { shedKind } from "../kinds/shed/index.js";
import { transportKind } from "../kinds/transport/index.js";
import { validateKind } from "../kinds/validate/index.js";
import type { Kind } from "../model/kind.js";

export const KINDS: readonly Kind[] = [
  shedKind,
  transportKind,
  corsKind,
  authenticateKind,
  csrfKind,
  limitKind,
  authorizeKind,
  validateKind,
  sanitizeKind,
  recordKind,
  redactKind,
  encodeKind,
  headersKind,
  errorShapeKind,
];
