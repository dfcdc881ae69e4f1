/**
 * Koa's first middleware: what the others leave in `ctx.body` goes to the policy as a value, before it is text; what they throw, and
 * what nobody answers, gets the policy's error in place of koa's page.
 */
export async function answers(ctx, next) {
  const { gatehouse } = ctx.req;
  try {
    await next();
  } catch (error) {
    ctx.respond = false;
    return gatehouse.fail(error, error?.status);
  }
  if (ctx.respond === false || ctx.headerSent) return;
  if (ctx.status === 404 && (ctx.body === undefined || ctx.body === null)) {
    ctx.respond = false;
    return gatehouse.fail(undefined, 404);
  }
  if (isValue(ctx.body)) {
    ctx.respond = false;
    gatehouse.send(ctx.body, { status: ctx.status });
  }
}

/** Koa writes these as JSON; text, bytes and streams pass as they are. */
function isValue(body) {
  if (typeof body !== "object" || body === null) return false;
  return (
    !ArrayBuffer.isView(body) &&
    ![Blob, Response, ReadableStream].some((kind) => body instanceof kind) &&
    typeof body.pipe !== "function"
  );
}
