import type { HeaderField } from "./request.js";

/** What the handler answered. A string or bytes is text already serialized; any other value is the object before that. */
export interface RawResponse {
  readonly status: number;
  readonly headers: readonly HeaderField[];
  readonly body?: unknown;
}

/** What goes out. `body` undefined: nothing is to be sent, or (when the body was not needed) the handler's own stream goes on. */
export interface ShapedResponse {
  readonly status: number;
  readonly headers: readonly HeaderField[];
  readonly body?: string | Uint8Array | undefined;
  /** True: the fields say how long `body` is, once, and nothing else of where it ends. A writer need not count again. */
  readonly framed?: boolean;
  /** True: `body` is text of which each character is a byte, in whatever way it is encoded. */
  readonly ascii?: boolean;
}
