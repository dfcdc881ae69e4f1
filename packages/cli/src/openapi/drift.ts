/** A policy against a team's own description: what one says and the other does not. */
import type { PolicyDocument } from "@gatehouse/core";
import { describePolicy } from "./describe.js";
import { filesBeside } from "./files.js";
import type { Item } from "./list.js";
import type { Answer, ApiModel, Operation, Parameter } from "./model.js";
import { readOpenApi } from "./read.js";
import type { SourceLoader } from "./references.js";
import { securityDifferences } from "./security-drift.js";
import { schemaDifferences, type Direction, type SchemaDifference } from "./schema-drift.js";

export interface Drift {
  /** Of the policy, against the description: it refuses or withholds more, or less; or that cannot be told. */
  readonly direction: Direction;
  /** `GET /orders/:id`. */
  readonly route: string;
  readonly aspect: "route" | "security" | "parameter" | "body" | "answer";
  readonly message: string;
}

export interface DriftReport {
  readonly drifts: readonly Drift[];
  /** Parts of the description that a policy cannot say, and that were compared with nothing. */
  readonly notCompared: readonly Item[];
}

export interface DriftOptions {
  /** Path of the description: files that it refers to are read below its folder and the current one. */
  readonly file?: string | undefined;
  readonly loader?: SourceLoader | undefined;
}

/**
 * @param policy one that can be served
 * @param text OpenAPI 3.0 or 3.1, JSON or YAML
 * @throws OpenApiError (rejects) for what is no such document
 */
export async function driftOf(
  policy: PolicyDocument,
  text: string,
  options: DriftOptions = {},
): Promise<DriftReport> {
  const { file } = options;
  const theirs = await readOpenApi(text, file ?? "<text>", options.loader ?? filesBeside(file));
  const ours = await readOpenApi(JSON.stringify(describePolicy(policy)), "<policy>", filesBeside(undefined));
  return {
    drifts: compare(theirs.model, ours.model),
    notCompared: theirs.items.filter(({ kind }) => kind === "lost"),
  };
}

/** Names of parameters tell no routes apart. */
function keyOf({ method, path }: Operation): string {
  return `${method} ${path.replaceAll(/:[^/]+/gu, ":")}`;
}

function nameOf({ method, path }: Operation): string {
  return `${method} ${path}`;
}

function compare(theirs: ApiModel, ours: ApiModel): readonly Drift[] {
  const described = new Map(theirs.operations.map((one) => [keyOf(one), one]));
  const enforced = new Map(ours.operations.map((one) => [keyOf(one), one]));
  const drifts: Drift[] = [];
  for (const [key, operation] of described) {
    const own =
      enforced.get(key) ??
      (operation.method === "HEAD" ? enforced.get(key.replace("HEAD", "GET")) : undefined);
    if (own === undefined)
      drifts.push({
        direction: "stricter",
        route: nameOf(operation),
        aspect: "route",
        message: "it is described, and no route of the policy: it is refused (404 or 405)",
      });
    else drifts.push(...operationDrifts(operation, own, theirs, ours));
  }
  for (const [key, operation] of enforced)
    if (!described.has(key) && !(operation.method === "HEAD" && described.has(key.replace("HEAD", "GET"))))
      drifts.push({
        direction: "looser",
        route: nameOf(operation),
        aspect: "route",
        message: "the policy serves it, and it is not described",
      });
  return drifts;
}

function operationDrifts(
  theirs: Operation,
  own: Operation,
  description: ApiModel,
  policy: ApiModel,
): readonly Drift[] {
  const route = nameOf(theirs);
  const at =
    (aspect: Drift["aspect"]) =>
    (found: { readonly direction: Direction; readonly message: string }): Drift => ({
      direction: found.direction,
      route,
      aspect,
      message: found.message,
    });
  return [
    ...securityDifferences(theirs, own, description, policy).map(at("security")),
    ...parameterDifferences(theirs, own, description, policy).map(at("parameter")),
    ...bodyDifferences(theirs, own, description, policy).map(at("body")),
    ...answerDifferences(theirs, own, description, policy).map(at("answer")),
  ];
}

interface Found {
  readonly direction: Direction;
  readonly message: string;
}

function parameterDifferences(
  theirs: Operation,
  own: Operation,
  description: ApiModel,
  policy: ApiModel,
): readonly Found[] {
  const described = parametersOf(theirs);
  const enforced = parametersOf(own);
  const found: Found[] = [];
  for (const [key, { parameter, label }] of described) {
    const other = enforced.get(key)?.parameter;
    if (other !== undefined) found.push(...oneParameter(label, parameter, other, description, policy));
    else if (parameter.in === "query" && own.closedQuery === true)
      found.push({ direction: "stricter", message: `${label} is refused: the policy does not know it` });
    else found.push({ direction: "looser", message: `${label} is not held to its schema` });
  }
  for (const [key, { parameter, label }] of enforced)
    if (!described.has(key) && parameter.schema !== undefined)
      found.push({
        direction: parameter.required ? "stricter" : "looser",
        message: `${label} is not described${parameter.required ? ", and the policy requires it" : ", and the policy takes it"}`,
      });
  return found;
}

function oneParameter(
  label: string,
  theirs: Parameter,
  own: Parameter,
  description: ApiModel,
  policy: ApiModel,
): readonly Found[] {
  const found: Found[] = [];
  if (own.required && !theirs.required)
    found.push({ direction: "stricter", message: `${label} is required by the policy alone` });
  if (theirs.required && !own.required)
    found.push({ direction: "looser", message: `${label} is required by the description alone` });
  const text = { type: "string" };
  // What comes in a path or a header is a text, whatever else is said of it.
  const schema = (one: Parameter): Parameter["schema"] => one.schema ?? text;
  return [
    ...found,
    ...worded(
      label,
      schemaDifferences(
        { schema: schema(theirs), schemas: description.schemas },
        { schema: schema(own), schemas: policy.schemas },
        false,
      ),
    ),
  ];
}

/** Those of the path by their place, the others by name. */
function parametersOf({
  parameters,
}: Operation): ReadonlyMap<string, { readonly parameter: Parameter; readonly label: string }> {
  let place = 0;
  return new Map(
    parameters.map((parameter) => {
      const name = parameter.in === "header" ? parameter.name.toLowerCase() : parameter.name;
      const key = parameter.in === "path" ? `path ${place++}` : `${parameter.in} ${name}`;
      return [key, { parameter, label: `the ${parameter.in} parameter \`${parameter.name}\`` }];
    }),
  );
}

function bodyDifferences(
  theirs: Operation,
  own: Operation,
  description: ApiModel,
  policy: ApiModel,
): readonly Found[] {
  const described = theirs.body;
  const enforced = own.body;
  if (described === undefined && enforced === undefined) return [];
  if (
    enforced === undefined ||
    (described !== undefined && described.schema !== undefined && enforced.schema === undefined)
  )
    return [{ direction: "looser", message: "content is described, and the policy does not read it" }];
  if (described === undefined)
    return [
      {
        direction: enforced.required ? "stricter" : "looser",
        message: `the policy ${enforced.required ? "requires" : "takes"} content, and none is described`,
      },
    ];
  const found: Found[] = [];
  if (enforced.required && !described.required)
    found.push({ direction: "stricter", message: "content is required by the policy alone" });
  if (described.required && !enforced.required)
    found.push({ direction: "looser", message: "content is required by the description alone" });
  const refused = described.types.filter(
    (type) =>
      !enforced.types.includes(type) &&
      !(enforced.types.includes("application/json") && type.endsWith("+json")),
  );
  if (enforced.types.length > 0 && refused.length > 0)
    found.push({
      direction: "stricter",
      message: `content of the type ${refused.map((type) => `\`${type}\``).join(", ")} is refused`,
    });
  const more = enforced.types.filter((type) => !described.types.includes(type));
  if (more.length > 0)
    found.push({
      direction: "looser",
      message: `content of the type ${more.map((type) => `\`${type}\``).join(", ")} is accepted, and not described`,
    });
  if (described.schema === undefined && enforced.schema === undefined) return found;
  return [
    ...found,
    ...worded(
      "content",
      schemaDifferences(
        { schema: described.schema, schemas: description.schemas },
        { schema: enforced.schema, schemas: policy.schemas },
        false,
      ),
    ),
  ];
}

function answerDifferences(
  theirs: Operation,
  own: Operation,
  description: ApiModel,
  policy: ApiModel,
): readonly Found[] {
  const good = theirs.answers.filter(({ status, schema }) => status.startsWith("2") && schema !== undefined);
  if (own.noBody)
    return good.length === 0
      ? []
      : [{ direction: "stricter", message: "a body is described, and the policy lets none out" }];
  return good.flatMap((answer): readonly Found[] => {
    const enforced = answerFor(answer.status, own.answers);
    if (enforced === undefined)
      return [
        {
          direction: "stricter",
          message: `answers of ${answer.status} are described, and withheld by the policy`,
        },
      ];
    if (enforced.schema === undefined)
      return [
        { direction: "looser", message: `answers of ${answer.status} leave as the handler writes them` },
      ];
    return worded(
      `the answer of ${answer.status}`,
      schemaDifferences(
        { schema: answer.schema, schemas: description.schemas },
        { schema: enforced.schema, schemas: policy.schemas },
        true,
      ),
    );
  });
}

/** The exact status, then its class, then the rest. */
function answerFor(status: string, answers: readonly Answer[]): Answer | undefined {
  const find = (wanted: string): Answer | undefined => answers.find((one) => one.status === wanted);
  return find(status) ?? find(`${status.slice(0, 1)}xx`) ?? find("default");
}

function worded(what: string, differences: readonly SchemaDifference[]): readonly Found[] {
  return differences.map(({ direction, at, message }) => ({
    direction,
    message: `${what}${at === "" ? "" : `, at \`${at}\``}: ${message}`,
  }));
}
