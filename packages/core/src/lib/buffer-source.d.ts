/** `structured-headers` names it in its types. The DOM's library would bring it, and with it a thousand globals that are not everywhere. */
export {};

declare global {
  type BufferSource = ArrayBufferView | ArrayBuffer;
}
