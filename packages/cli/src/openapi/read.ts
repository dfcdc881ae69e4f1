/** An OpenAPI document, 3.0 or 3.1, as a model of the API. */
import { pointerTo } from "../lib/pointer.js";
import { Items } from "./list.js";
import {
  ALSO,
  METHODS,
  OTHERS,
  type Answer,
  type ApiModel,
  type Body,
  type Operation,
  type Parameter,
} from "./model.js";
import { readParameters } from "./parameters.js";
import { childPlace, Documents, type Place, type SourceLoader } from "./references.js";
import { SchemaReader, sourceOf } from "./schema.js";
import { readSchemes, readSecurity } from "./security.js";
import { readServers, type Servers } from "./servers.js";
import { isObject, listOf, member, OpenApiError, textOf, type JsonObject } from "./source.js";

export interface Described {
  readonly model: ApiModel;
  readonly items: readonly Parameters<Items["add"]>[0][];
}

/** @throws OpenApiError where it is no document that can be read */
export async function readOpenApi(text: string, file: string, loader: SourceLoader): Promise<Described> {
  const documents = await Documents.read(text, file, loader);
  const items = new Items();
  const version = versionOf(documents.root);
  const schemas = new SchemaReader(documents, version === "3.0", items);
  const reader = new DocumentReader(documents, schemas, items);
  const model = reader.read();
  return { model, items: items.all };
}

const MAX_OPERATIONS = 5_000;

function versionOf({ value, file }: Place): "3.0" | "3.1" {
  const version = textOf(member(value, "openapi"));
  const found = /^(3\.[01])(\.|$)/u.exec(version ?? "")?.[1];
  if (found === "3.0" || found === "3.1") return found;
  if (member(value, "swagger") !== undefined)
    throw new OpenApiError("it is of Swagger 2.0", file, "convert it to OpenAPI 3.0 or 3.1 first");
  if (version === undefined)
    throw new OpenApiError("it is no OpenAPI document: it has no text `openapi`", file);
  throw new OpenApiError("it is of a version of OpenAPI that is not read", file, "3.0 and 3.1 are");
}

/** Members that say something to programmers and tools alone. */
const NO_RULES: ReadonlySet<string> = new Set([
  "tags",
  "externalDocs",
  "info",
  "openapi",
  "jsonSchemaDialect",
]);

class DocumentReader {
  private readonly operations: Operation[] = [];

  constructor(
    private readonly documents: Documents,
    private readonly schemas: SchemaReader,
    private readonly items: Items,
  ) {}

  read(): ApiModel {
    const { root } = this.documents;
    const servers = readServers(root, this.items);
    const paths = childPlace(root, "paths");
    for (const path of Object.keys(isObject(paths.value) ? paths.value : {}))
      if (!path.startsWith("x-")) this.readPath(path, childPlace(paths, path), servers);
    this.listRest(root);
    return {
      title: textOf(member(member(root.value, "info"), "title")) ?? "api",
      hosts: servers.hosts,
      operations: this.operations,
      schemas: this.schemas.schemas,
      schemes: readSchemes(root, this.documents, this.items),
    };
  }

  private listRest(root: Place): void {
    for (const [key, value] of Object.entries(isObject(root.value) ? root.value : {})) {
      if (key === "webhooks" && isObject(value) && Object.keys(value).length > 0)
        this.lose(
          "webhooks",
          childPlace(root, key),
          "requests that the API makes itself are no routes of it",
        );
      else if (key.startsWith("x-")) this.passOver(key, childPlace(root, key));
      else if (
        !["paths", "components", "security", "servers", "webhooks"].includes(key) &&
        !NO_RULES.has(key)
      )
        this.lose("unknown-member", childPlace(root, key), `\`${key}\` is no member of an OpenAPI document`);
    }
  }

  private readPath(template: string, at: Place, servers: Servers): void {
    const item = this.documents.resolve(at);
    if (!isObject(item.value)) return;
    for (const key of Object.keys(item.value)) {
      if (METHODS.some((method) => method === key))
        this.readOperation(key, template, item, childPlace(item, key), servers);
      else if (key === OTHERS) this.readOthers(template, item, servers);
      else if (key === ALSO) this.readAlso(template, item, servers);
      else if (key === "trace") this.lose("trace", childPlace(item, key), "`TRACE` is never routed");
      else if (key === "servers")
        this.lose(
          "servers",
          childPlace(item, key),
          "servers of one path are not read; the document's hold for all",
        );
      else if (key.startsWith("x-")) this.passOver(key, childPlace(item, key));
      else if (!["parameters", "summary", "description", "$ref"].includes(key))
        this.lose("unknown-member", childPlace(item, key), `\`${key}\` is no member of a path`);
    }
  }

  private readOthers(template: string, item: Place, servers: Servers): void {
    const others = childPlace(item, OTHERS);
    for (const method of Object.keys(isObject(others.value) ? others.value : {}))
      if (/^[A-Z]{1,30}$/u.test(method))
        this.readOperation(method, template, item, childPlace(others, method), servers);
  }

  private readAlso(template: string, item: Place, servers: Servers): void {
    const also = childPlace(item, ALSO);
    for (const [index, one] of listOf(also.value).entries()) {
      const method = textOf(member(one, "method")) ?? "";
      if (/^[A-Z]{1,30}$/u.test(method))
        this.readOperation(method, template, item, childPlace(also, index), servers);
    }
  }

  private readOperation(key: string, template: string, item: Place, place: Place, servers: Servers): void {
    const value = place.value;
    if (!isObject(value)) return;
    if (this.operations.length >= MAX_OPERATIONS)
      throw new OpenApiError(`the document has more than ${MAX_OPERATIONS} operations`, place.file);
    const renamed = new Map<string, string>();
    const wildcard = member(value["x-gatehouse"], "wildcard") === true;
    const path = pathOf(servers.base, template, renamed, wildcard);
    if (path === undefined) {
      this.lose(
        "path",
        place,
        `the path \`${template}\` has a parameter that is no whole segment, or a character that no path has; the route is refused (404)`,
      );
      return;
    }
    for (const [from, to] of renamed)
      if (from !== to)
        this.items.add({
          kind: "note",
          code: "renamed-parameter",
          source: sourceOf(place),
          message: `the parameter \`${from}\` is called \`${to}\` in the policy`,
        });
    const method = key.toUpperCase();
    const at = pointerTo("/routes", `${method} ${path}`);
    const parameters = readParameters([childPlace(item, "parameters"), childPlace(place, "parameters")], {
      documents: this.documents,
      schemas: this.schemas,
      items: this.items,
      at,
      renamed,
    });
    this.operations.push({
      method,
      path,
      source: sourceOf(place),
      summary: textOf(value["summary"]) ?? textOf(value["operationId"]),
      deprecated: value["deprecated"] === true,
      noBody: member(value["x-gatehouse"], "noBody") === true,
      closedQuery: isObject(value["x-gatehouse"])
        ? member(value["x-gatehouse"], "closedQuery") === true
        : undefined,
      parameters: withPathParameters(path, parameters),
      body: this.readBody(childPlace(place, "requestBody"), at),
      answers: this.readAnswers(childPlace(place, "responses"), at),
      security: readSecurity(childPlace(place, "security"), childPlace(this.documents.root, "security")),
    });
    this.listOperation(value, place);
  }

  private listOperation(value: JsonObject, place: Place): void {
    const known = [
      "summary",
      "description",
      "operationId",
      "deprecated",
      "parameters",
      "requestBody",
      "responses",
      "security",
      "tags",
      "externalDocs",
      "method",
    ];
    for (const key of Object.keys(value)) {
      if (known.includes(key)) continue;
      const inner = childPlace(place, key);
      if (key === "callbacks")
        this.lose(key, inner, "requests that the API makes itself are no routes of it");
      else if (key === "servers")
        this.lose(key, inner, "servers of one operation are not read; the document's hold for all");
      else if (key === "x-gatehouse")
        this.items.add({
          kind: "note",
          code: "extension",
          source: sourceOf(inner),
          message:
            "of `x-gatehouse` nothing is read but wildcards and answers without a body: conditions, limits and bounds are not carried over",
        });
      else if (key.startsWith("x-")) this.passOver(key, inner);
      else this.lose("unknown-member", inner, `\`${key}\` is no member of an operation`);
    }
  }

  private readBody(at: Place, policyAt: string): Body | undefined {
    const place = this.documents.resolve(at);
    if (!isObject(place.value)) return undefined;
    const content = childPlace(place, "content");
    const types = typesOf(content);
    const json = types.filter(isJson);
    this.oneSchema(content, json);
    const [first] = json;
    const schema = first === undefined ? undefined : childPlace(content, first.written, "schema");
    return {
      required: place.value["required"] === true,
      types: types.map(({ type }) => type),
      schema:
        schema?.value === undefined
          ? undefined
          : this.schemas.read(schema, "in", pointerTo(policyAt, "request", "body")),
    };
  }

  private readAnswers(at: Place, policyAt: string): readonly Answer[] {
    if (!isObject(at.value)) return [];
    return Object.keys(at.value)
      .filter((status) => !status.startsWith("x-"))
      .map((status) => ({ status, place: this.documents.resolve(childPlace(at, status)) }))
      .filter(({ place }) => member(place.value, "x-gatehouse-refusal") !== true)
      .map(({ status, place }) => this.readAnswer(status, place, policyAt));
  }

  private readAnswer(written: string, place: Place, policyAt: string): Answer {
    const status = written === "default" ? written : written.toLowerCase();
    const content = childPlace(place, "content");
    const types = typesOf(content);
    const json = types.filter(isJson);
    this.oneSchema(content, json);
    const [first] = json;
    const schema = first === undefined ? undefined : childPlace(content, first.written, "schema");
    const links = member(place.value, "links");
    if (isObject(links) && Object.keys(links).length > 0)
      this.items.add({
        kind: "note",
        code: "annotation",
        source: "",
        message: "`links` of responses decide nothing, and are left out",
      });
    const events = types.find(({ type }) => type === "text/event-stream");
    const event =
      events === undefined ? undefined : childPlace(content, events.written, "x-gatehouse-events");
    return {
      status,
      types: types.map(({ type }) => type),
      events:
        event?.value === undefined
          ? undefined
          : this.schemas.read(event, "out", pointerTo(policyAt, "response", "events")),
      schema:
        schema?.value === undefined
          ? undefined
          : this.schemas.read(schema, "out", pointerTo(policyAt, "response", "bodies", status)),
    };
  }

  /** The language has one schema for all that is JSON. */
  private oneSchema(content: Place, json: readonly MediaType[]): void {
    const [first, ...others] = json;
    if (first === undefined) return;
    const wanted = JSON.stringify(childPlace(content, first.written, "schema").value);
    for (const { written, type } of others)
      if (JSON.stringify(childPlace(content, written, "schema").value) !== wanted)
        this.lose(
          "second-schema",
          childPlace(content, written),
          `the schema of \`${type}\` is another than that of \`${first.type}\`, which holds for both`,
        );
  }

  private passOver(key: string, place: Place): void {
    this.items.add({
      kind: "note",
      code: "extension",
      source: sourceOf(place),
      message: `\`${key}\` is not read`,
    });
  }

  private lose(code: string, place: Place, message: string): void {
    this.items.add({ kind: "lost", code, source: sourceOf(place), message });
  }
}

interface MediaType {
  readonly written: string;
  /** Without parameters, in lower case. */
  readonly type: string;
}

function typesOf({ value }: Place): readonly MediaType[] {
  return Object.keys(isObject(value) ? value : {}).map((written) => ({
    written,
    type: (written.split(";", 1)[0] ?? "").trim().toLowerCase(),
  }));
}

export function isJson({ type }: { readonly type: string }): boolean {
  return type === "application/json" || type === "*/*" || /^[^/]+\/[^/]+\+json$/u.test(type);
}

/** `{id}` becomes `:id`; undefined where a parameter is a part of a segment, which the language cannot say. */
function pathOf(
  base: string,
  template: string,
  renamed: Map<string, string>,
  wildcard: boolean,
): string | undefined {
  if (!template.startsWith("/")) return undefined;
  const segments: string[] = [];
  for (const segment of `${base}${template}`.slice(1).split("/")) {
    const [, name] = /^\{([^{}]+)\}$/u.exec(segment) ?? [];
    if (name === undefined) {
      if (/[{}*:?#%\\;\u0000-\u001F\u007F]/u.test(segment)) return undefined;
      segments.push(segment);
      continue;
    }
    const plain = name.replaceAll(/[^A-Za-z0-9_]/gu, "_").slice(0, 60);
    let own =
      /^[A-Za-z_]/u.test(plain) && !["__proto__", "constructor", "prototype"].includes(plain)
        ? plain
        : `p_${plain}`;
    while ([...renamed.values()].includes(own)) own += "_";
    renamed.set(name, own);
    segments.push(`:${own}`);
  }
  if (wildcard && segments.at(-1)?.startsWith(":") === true) segments[segments.length - 1] = "*";
  return `/${segments.join("/")}`;
}

/** Each that the path has is one, whether or not somebody described it. */
function withPathParameters(path: string, parameters: readonly Parameter[]): readonly Parameter[] {
  const names = Array.from(path.matchAll(/\/:([^/]+)/gu), ([, name = ""]) => name);
  const described = new Map(parameters.filter((one) => one.in === "path").map((one) => [one.name, one]));
  return [
    ...names.map(
      (name): Parameter => described.get(name) ?? { name, in: "path", required: true, schema: undefined },
    ),
    ...parameters.filter((one) => one.in !== "path"),
  ];
}
