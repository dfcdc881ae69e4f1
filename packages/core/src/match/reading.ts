/** The two readings of a path: decoded once, as the engine decides, and raw, as some frameworks compare it. */

import type { FrameworkMatching } from "./router.js";

/** What a framework does with a path before it compares. */
export interface Reading {
  readonly fold: (text: string) => string;
  readonly ignoresSlash: boolean;
}

export function readingOf({ caseSensitive, trailingSlash }: FrameworkMatching): Reading {
  return {
    fold: caseSensitive === false ? foldAscii : (text) => text,
    ignoresSlash: trailingSlash === "ignored",
  };
}

/** ASCII letters only: `İ` and the Kelvin sign fold into no route, whatever the locale. */
export function foldAscii(text: string): string {
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code >= 65 && code <= 90) return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  }
  return text;
}

/**
 * The segments as a framework sees them that compares static text before decoding. One in its canonical encoding (`caf%C3%A9`) stands
 * for its decoded text there too, because the framework's own pattern is encoded in the same way; any other encoded one
 * (`%61dmin`) equals no static text.
 */
export function rawReading(path: string, decoded: readonly string[]): readonly string[] {
  const raw = path.slice(1).split("/");
  return raw.map((segment, index) => {
    const text = decoded[index] ?? "";
    return segment === text || segment === canonical(text) ? text : segment;
  });
}

/** Only what cannot stand in a path as it is gets encoded (RFC 3986 section 3.3). */
function canonical(text: string): string {
  return encodeURI(text).replaceAll("?", "%3F").replaceAll("#", "%23");
}
