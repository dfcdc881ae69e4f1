/** What express 4 and 5 are to this adapter: a few members of their objects, and where the two differ. */
import type { IncomingMessage, ServerResponse } from "node:http";

export type Next = (error?: unknown) => void;
export type Middleware = (req: ExpressRequest, res: ExpressResponse, next: Next) => unknown;
type Handle = (this: unknown, req: ExpressRequest, res: ExpressResponse, done?: Next) => unknown;

export interface ExpressRequest extends IncomingMessage, Express.Request {
  readonly app?: App;
  readonly originalUrl?: string;
  readonly baseUrl?: string;
}

export interface ExpressResponse extends ServerResponse {
  readonly app?: App;
  get(name: string): unknown;
  set(name: string, value: string): unknown;
  json: (this: ExpressResponse, ...given: unknown[]) => unknown;
}

export interface Route {
  readonly path: unknown;
  /** Lower-case method, or `_all`, to true. */
  readonly methods: Readonly<Record<string, boolean | undefined>>;
}

export interface Layer {
  readonly handle: ((...given: never[]) => unknown) & { readonly stack?: unknown };
  readonly name: string;
  readonly route?: Route | undefined;
  /** Express 5.3: the path as it was written. */
  readonly rawPath?: unknown;
  /** Express 4. */
  readonly regexp?: RegExp & { readonly fast_slash?: boolean };
}

export interface Router {
  readonly stack: readonly Layer[];
  readonly caseSensitive?: boolean | undefined;
  readonly strict?: boolean | undefined;
  handle: Handle;
}

export interface App {
  readonly parent?: App;
  readonly mountpath?: unknown;
  /** The prototype of its responses. */
  readonly response: object;
  get(setting: string): unknown;
  on(event: "mount", listener: (parent: App) => void): unknown;
  use(handler: unknown): unknown;
  handle: Handle;
  listen: (this: unknown, ...given: unknown[]) => unknown;
}

/** Express 4 makes its router with the first `use`, and throws when `router` is read. */
export function routerOf(app: App): Router {
  const { _router, lazyrouter } = app as { _router?: Router; lazyrouter?: unknown };
  if (_router !== undefined) return _router;
  if (typeof lazyrouter === "function") throw new Error("the application has no route and no middleware yet");
  return (app as unknown as { router: Router }).router;
}

export function isExpress4(app: App): boolean {
  return typeof (app as { lazyrouter?: unknown }).lazyrouter === "function";
}

/** The application that the server calls. */
export function rootOf(app: App): App {
  let root = app;
  while (root.parent !== undefined) root = root.parent;
  return root;
}

/** The router behind a layer, where there is one. */
export function nestedRouter({ handle, route }: Layer): Router | undefined {
  if (route !== undefined || !Array.isArray(handle.stack)) return undefined;
  const first = handle.stack[0] as unknown;
  // An application of `connect`, as development servers bring it, has a stack of plain objects: middleware, as a whole.
  if (first !== undefined && Object.getPrototypeOf(first) === Object.prototype) return undefined;
  return handle as unknown as Router;
}
