/**
 * What verifies all but tokens under keys that are here: loaded while a policy that asks for it is compiled, as reading it is a tenth of
 * what importing this package costs.
 */
export { compileBasic } from "./compile-basic.js";
export { compileApiKey, compileCustom } from "./compile-code.js";
export { compileMessage, compileWebhook } from "./compile-signatures.js";
export { compileClient } from "./client-auth.js";
export { DpopNonces } from "./dpop-nonce.js";
export { dpopProver, missingProof } from "./dpop.js";
export { compileAnswer } from "./introspection-answer.js";
export { introspectionJudge } from "./introspection.js";
export { introspectionMemory } from "./introspection-memory.js";
export { remoteJwtJudge } from "./jwt-remote.js";
export { certificateJudge } from "./mtls.js";
export { compileRemoteKeys } from "./remote-keys.js";
