/** Every public name is written out here: one that comes or goes is a decision, not an accident. */
import * as analysis from "@gatehouse/core/analysis";
import * as conformance from "@gatehouse/core/conformance";
import * as core from "@gatehouse/core";
import * as node from "@gatehouse/core/node";
import * as testing from "@gatehouse/core/testing";
import * as properties from "@gatehouse/core/testing/properties";
import * as express from "@gatehouse/express";
import * as fastify from "@gatehouse/fastify";
import * as fetchAdapter from "@gatehouse/fetch";
import * as nodeHttp from "@gatehouse/node-http";
import * as redis from "@gatehouse/redis";
import * as cli from "gatehouse";
import { expect, it } from "vitest";

it.each([
  [
    "@gatehouse/core",
    core,
    [
      "AdmittedRequest",
      "DIAGNOSTIC_CODES",
      "ERRORS",
      "PolicyError",
      "STAGES",
      "Secret",
      "SecretError",
      "StoreError",
      "checkPolicy",
      "createEngine",
      "createMemoryStore",
      "definePolicy",
      "formatDiagnostic",
      "inventoryProblems",
      "locateInPolicy",
      "openTelemetry",
      "parsePolicy",
      "plainEvent",
      "pollPolicy",
      "readCertificate",
      "readiness",
      "refuseUnknownOptions",
      "sampleDecisions",
      "secretsByScheme",
      "verifyBundle",
    ],
  ],
  [
    "@gatehouse/core/testing/properties",
    properties,
    ["CounterexampleError", "arbitrariesFor", "describeStore", "never"],
  ],
  [
    "@gatehouse/core/analysis",
    analysis,
    [
      "ANNOTATIONS",
      "FORMAT_NAMES",
      "HEADER_PRESETS",
      "NAMED_RANGE_NAMES",
      "addressesAround",
      "analyse",
      "conditionOn",
      "inRanges",
      "parseCondition",
      "readCondition",
      "resolveAuthenticators",
      "seeCaller",
    ],
  ],
  [
    "@gatehouse/core/node",
    node,
    [
      "decisionChannel",
      "jsonLines",
      "keepBundle",
      "nodeSecrets",
      "policyTests",
      "readPolicy",
      "signBundle",
      "verifyLog",
      "watchPolicy",
    ],
  ],
  ["@gatehouse/express", express, ["gatehouse", "guardUpgrade", "ownServer"]],
  ["@gatehouse/fastify", fastify, ["gatehouse", "guardUpgrade"]],
  ["@gatehouse/redis", redis, ["createRedisStore", "ioredisDriver", "nodeRedisDriver"]],
])("%s", (_name, module, names) => {
  expect(Object.keys(module).sort()).toEqual(names);
});

it("@gatehouse/core/conformance", () => {
  expect(Object.keys(conformance).sort()).toMatchInlineSnapshot(`
    [
      "caseFiles",
      "closeCaseFile",
      "describeAdapter",
      "differences",
      "engineFor",
      "exchangeOverSocket",
      "issueCertificate",
      "mintToken",
      "parseAnswer",
      "prepareCase",
      "prepareRequest",
      "rawAnswer",
      "runOnCore",
      "runOverSockets",
      "stepsOf",
      "throwawayCertificate",
      "virtualClock",
      "whyNotOverSockets",
    ]
  `);
});

it("@gatehouse/fetch", () => {
  expect(Object.keys(fetchAdapter).sort()).toMatchInlineSnapshot(`
    [
      "HandlerContext",
      "gatehouse",
      "guard",
      "honoRoutes",
      "inventory",
    ]
  `);
});

it("@gatehouse/core/testing", () => {
  expect(Object.keys(testing).sort()).toMatchInlineSnapshot(`
    [
      "PolicyTestError",
      "expectAdmitted",
      "expectRefused",
      "expectResult",
      "formatTrace",
      "matchers",
      "policyKit",
      "readPolicyTests",
      "runPolicyTests",
    ]
  `);
});

it("@gatehouse/node-http", () => {
  expect(Object.keys(nodeHttp).sort()).toMatchInlineSnapshot(`
    [
      "HandlerContext",
      "createSecureServer",
      "createServer",
      "guard",
      "guardUpgrade",
      "interceptResponse",
      "interceptionOf",
      "isClosing",
      "ownServer",
      "pass",
      "passageSettingsOf",
      "readBody",
      "readRequest",
      "requireFunction",
      "reserveRoom",
      "serverProblem",
      "tlsFacts",
      "writeBareError",
      "writeDecision",
    ]
  `);
});

it("gatehouse", () => {
  expect(Object.keys(cli).sort()).toMatchInlineSnapshot(`
    [
      "AUDIT_RULES",
      "COVERAGE_KINDS",
      "Duel",
      "FailingTestsError",
      "OpenApiError",
      "STARTER",
      "applyBaseline",
      "audit",
      "check",
      "completionFor",
      "describePolicy",
      "diagnose",
      "diffPolicies",
      "driftOf",
      "explain",
      "findTestFiles",
      "formatAudit",
      "formatCoverage",
      "formatDiagnosis",
      "formatDiff",
      "formatDrift",
      "formatExplanation",
      "formatItems",
      "formatJson",
      "formatJunit",
      "formatLogVerdict",
      "formatMatrix",
      "formatMutation",
      "formatPretty",
      "formatProbe",
      "formatReplay",
      "formatSarif",
      "formatTestRun",
      "isPasswordOf",
      "makeApiKey",
      "makeKeyPair",
      "makePasswordRecord",
      "matrix",
      "matrixChanges",
      "mutatePolicy",
      "policyFromOpenApi",
      "probe",
      "readBaseline",
      "readCurl",
      "readHar",
      "replayLog",
      "suggestedTests",
      "tableOf",
      "testPolicy",
    ]
  `);
});
