/**
 * Answers that are more than their text. Of some the value is known before it is text: under a response rule it is projected, and
 * never parsed. Others are failures, which the policy puts into words.
 */
const FAILURES = new WeakMap<Response, Failure>();
const VALUES = new WeakMap<Response, { readonly value: unknown }>();
const UTF8 = new TextEncoder();

export interface Failure {
  readonly error: unknown;
  readonly status: number;
  /** `WWW-Authenticate` of an application that authenticates by itself: a 401 without one tells nobody what to do (RFC 9110 section 15.5.2). */
  readonly challenge?: string | undefined;
}

export interface SendOptions {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: ConstructorParameters<typeof Headers>[0];
}

/** Whoever copies the answer gets its text: it is written when it is asked for, and not before. */
export function responseOf(value: unknown, { status = 200, headers }: SendOptions): Response {
  const fields = new Headers(headers);
  if (!fields.has("content-type")) fields.set("content-type", "application/json");
  const response = new Response(isBodyless(status) ? null : lazily(value), { status, headers: fields });
  VALUES.set(response, { value });
  return response;
}

/** Undefined: this answer has no value, only text. */
export function valueOf(response: Response): { readonly value: unknown } | undefined {
  return VALUES.get(response);
}

/** Whoever copies it gets the bare status. */
export function failureOf(error: unknown, status: number, challenge?: string): Response {
  const response = new Response(null, { status });
  FAILURES.set(response, { error, status, challenge });
  return response;
}

/** Undefined: this answer is the handler's own. */
export function asFailure(response: Response): Failure | undefined {
  return FAILURES.get(response);
}

/** The fetch standard's null body statuses: a Response with one of these and a body cannot be made. */
export function isBodyless(status: number): boolean {
  return status === 101 || status === 204 || status === 205 || status === 304;
}

function lazily(value: unknown): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      pull: (controller) => {
        const text = JSON.stringify(value) as string | undefined;
        if (text !== undefined) controller.enqueue(UTF8.encode(text));
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}
