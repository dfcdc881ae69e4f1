/** An OpenAPI 3.1 document of what a policy enforces. What OpenAPI has no word for stands under `x-gatehouse`. */
import type { PolicyDocument } from "@gatehouse/core";
import { routesOf, type RouteView } from "../lib/routes.js";
import { authenticatorSchemes, securityOf } from "./describe-security.js";
import { SchemaBook } from "./schema-book.js";
import { answersOf, refusalResponses, refusalStatuses } from "./describe-answers.js";
import { extensionOf } from "./describe-extension.js";
import { ALSO, METHODS, OTHERS } from "./model.js";
import { isObject, member } from "./source.js";

type Node = Record<string, unknown>;

export interface DescribeOptions {
  /** Leaves `x-gatehouse` out: for a document that strangers read. Default false. */
  readonly plain?: boolean | undefined;
  /** Version of the API (`info.version`); OpenAPI asks for one, and a policy has none. Default `0.0.0`. */
  readonly version?: string | undefined;
}

/**
 * What callers may send, what may come back, and who they must be, for every route. Conditions, limits and bounds that OpenAPI cannot say stand
 * under `x-gatehouse`.
 * @param policy one that can be served; see `checkPolicy`
 */
export function describePolicy(policy: PolicyDocument, options: DescribeOptions = {}): Readonly<Node> {
  const { plain = false, version = "0.0.0" } = options;
  const views = routesOf(policy);
  const schemes = authenticatorSchemes(policy);
  const book = new SchemaBook(policy, plain);
  const paths = pathsOf(views, { book, plain });
  const schemas = book.components;
  const statuses = new Set(views.flatMap((view) => refusalStatuses(view)));
  return {
    openapi: "3.1.0",
    info: {
      title: policy.name,
      version,
      ...(policy.description === undefined ? {} : { description: policy.description }),
    },
    servers: serversOf(policy),
    paths,
    components: {
      ...(Object.keys(schemas).length > 0 ? { schemas } : {}),
      responses: refusalResponses(statuses, policy, plain),
      ...(Object.keys(schemes).length > 0 ? { securitySchemes: schemes } : {}),
    },
  };
}

function serversOf({ transport }: PolicyDocument): readonly Node[] {
  const hosts = transport?.hosts ?? [];
  if (hosts.length === 0) return [{ url: "/" }];
  return hosts.map((host) =>
    host.startsWith("*.")
      ? { url: `https://{label}.${host.slice(2)}`, variables: { label: { default: "any" } } }
      : { url: `https://${host}` },
  );
}

interface Context {
  readonly book: SchemaBook;
  readonly plain: boolean;
}

function pathsOf(views: readonly RouteView[], context: Context): Node {
  const shapes = new Map<
    string,
    { readonly template: string; readonly names: readonly string[]; readonly item: Node }
  >();
  for (const view of mostSpecificFirst(views)) {
    const key = view.path
      .split("/")
      .map((segment) => (segment.startsWith(":") || segment === "*" ? "{}" : segment))
      .join("/");
    // Names of parameters tell no paths of OpenAPI apart: the first route of a shape names them for all.
    const shape = shapes.get(key) ?? { ...templateOf(view.path), item: {} };
    shapes.set(key, shape);
    for (const method of view.methods) addOperation(shape.item, method, view, shape.names, context);
  }
  return Object.fromEntries([...shapes.values()].map(({ template, item }) => [template, item]));
}

/** A named method goes before `*`, and `:id` before a wildcard: the first that comes is the one that is met. */
function mostSpecificFirst(views: readonly RouteView[]): readonly RouteView[] {
  const rank = ({ key, path }: RouteView): number =>
    (path.endsWith("/*") ? 2 : 0) + (key.startsWith("* ") ? 1 : 0);
  return views.toSorted((a, b) => rank(a) - rank(b));
}

function addOperation(
  item: Node,
  method: string,
  view: RouteView,
  names: readonly string[],
  context: Context,
): void {
  const key = method.toLowerCase();
  const operation = operationOf(view, method, names, context);
  if (METHODS.some((one) => one === key)) {
    const before = item[key];
    if (before === undefined) item[key] = operation;
    // `GET /a/*` beside `GET /a/:id`: one path there, two here. The same path under `*` is never met.
    else if (!context.plain && isWildcard(operation) && !isWildcard(before))
      item[ALSO] = [...list(item[ALSO]), { method, ...operation }];
  } else if (!context.plain)
    item[OTHERS] = { ...(isObject(item[OTHERS]) ? item[OTHERS] : {}), [method]: operation };
}

function isWildcard(operation: unknown): boolean {
  return member(member(operation, "x-gatehouse"), "wildcard") === true;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function templateOf(path: string): { readonly template: string; readonly names: readonly string[] } {
  const names: string[] = [];
  const segments = path.split("/").map((segment) => {
    if (!segment.startsWith(":") && segment !== "*") return segment;
    const name = segment === "*" ? freeName("rest", path) : segment.slice(1);
    names.push(name);
    return `{${name}}`;
  });
  return { template: segments.join("/"), names };
}

function freeName(wanted: string, path: string): string {
  return path.split("/").includes(`:${wanted}`) ? freeName(`${wanted}_`, path) : wanted;
}

function operationOf(
  view: RouteView,
  method: string,
  names: readonly string[],
  { book, plain }: Context,
): Node {
  const description = view.setting("description")?.value;
  const hint = `${method}_${view.path}`;
  const body = requestBodyOf(view, book, hint);
  const parameters = parametersOf(view, names, book, hint);
  const extension = plain ? {} : extensionOf(view);
  return {
    ...(description === undefined ? {} : { summary: description }),
    ...(view.setting("deprecated") === undefined ? {} : { deprecated: true }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined || method === "HEAD" ? {} : { requestBody: body }),
    responses: answersOf(view, book, hint, plain),
    security: securityOf(view),
    ...(Object.keys(extension).length === 0 ? {} : { "x-gatehouse": extension }),
  };
}

const CARRIERS = [
  ["params", "path"],
  ["query", "query"],
  ["headers", "header"],
  ["cookies", "cookie"],
] as const;

function parametersOf(
  view: RouteView,
  names: readonly string[],
  book: SchemaBook,
  hint: string,
): readonly Node[] {
  const own = view.path.split("/").filter((segment) => segment.startsWith(":") || segment === "*");
  const params = view.request("params") ?? {};
  const path = own.map((segment, index): Node => {
    const schema = params[segment.slice(1)];
    return {
      name: names[index] ?? segment.slice(1),
      in: "path",
      required: true,
      schema:
        segment === "*" || schema === undefined
          ? { type: "string" }
          : book.describe(schema, `${hint}-${segment.slice(1)}`),
    };
  });
  const others = CARRIERS.slice(1).flatMap(([key, carrier]) =>
    Object.entries(view.request(key) ?? {}).map(([name, schema]): Node => {
      const { required, ...plain } = isObject(schema) ? schema : { required: false };
      return {
        name,
        in: carrier,
        ...(required === true ? { required: true } : {}),
        schema: book.describe(plain, `${hint}-${name}`),
      };
    }),
  );
  return [...path, ...others];
}

function requestBodyOf(view: RouteView, book: SchemaBook, hint: string): Node | undefined {
  const body = view.request("body");
  const types = view.request("types") ?? [];
  if (body === undefined) {
    // Without a schema the default lets JSON pass unread; only what is written down is said.
    return types.length === 0 ||
      view.methods.every((method) => ["GET", "HEAD", "DELETE", "OPTIONS"].includes(method))
      ? undefined
      : { content: Object.fromEntries(types.map((type) => [mediaType(type), {}])) };
  }
  const schema = book.describe(body, `${hint}-body`);
  return {
    ...(view.request("bodyOptional") === true ? {} : { required: true }),
    content: Object.fromEntries(
      (types.length === 0 ? ["application/json"] : types).map((type) => [mediaType(type), { schema }]),
    ),
  };
}

/** `+json` stands for a suffix; OpenAPI has media type ranges alone. */
function mediaType(type: string): string {
  return type.startsWith("+") ? `application/*${type}` : type;
}
