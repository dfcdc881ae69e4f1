/** A stream on its way to the client: looked at, perhaps changed, and told when it is over. */
export interface Watcher {
  /** Before more is read. @throws Error to end the stream in the middle, behind what was sent */
  more(): void;
  /** @returns what is sent in its place; undefined: nothing yet. @throws Error to end the stream in the middle */
  pass(chunk: unknown): unknown;
  /** @throws Error when it may not end here */
  ended(): void;
  /** Too late for another answer: the stream breaks off, which is all that tells the client that it is not whole. */
  failed(error: unknown): void;
  /** Nobody reads any more. */
  left(): void;
}

export interface Relay {
  readonly stream: ReadableStream<unknown>;
  /** Ends it in the middle. */
  readonly cut: (error: unknown) => void;
}

/** Reads only as fast as the client does. */
export function relay(source: ReadableStream<unknown>, watcher: Watcher): Relay {
  const reader: ReadableStreamDefaultReader<unknown> = source.getReader();
  let cut: (error: unknown) => void = () => undefined;
  let left = false;
  const stream = new ReadableStream<unknown>(
    {
      start: (controller) => {
        cut = (error) => {
          controller.error(error);
          stop(reader, error);
        };
      },
      pull: async (controller) => {
        try {
          // Nobody asks again after a pull that gave nothing.
          for (let sent: unknown; sent === undefined;) {
            watcher.more();
            const { done, value } = await reader.read();
            if (left) return;
            if (done) {
              watcher.ended();
              return controller.close();
            }
            sent = watcher.pass(value);
            if (sent !== undefined) controller.enqueue(sent);
          }
        } catch (error) {
          watcher.failed(error);
          cut(error);
        }
      },
      cancel: (reason) => {
        left = true;
        watcher.left();
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, cut: (error) => cut(error) };
}

function stop(reader: ReadableStreamDefaultReader<unknown>, reason: unknown): void {
  // It may have failed by itself.
  reader.cancel(reason).catch(() => undefined);
}
