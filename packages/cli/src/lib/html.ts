/** Pages that load nothing and run nothing: what stands in a policy is text there, whoever wrote it. */

export interface Page {
  /** Plain text. */
  readonly title: string;
  readonly style: string;
  /** Lines of markup. */
  readonly body: readonly string[];
}

const COMMON =
  "body{font:15px/1.4 system-ui,sans-serif;margin:2rem}table{border-collapse:collapse}" +
  "th,td{border:1px solid #999;padding:.3rem .6rem;text-align:left;vertical-align:top}" +
  "thead th{position:sticky;top:0;background:#eee;color:#111}code,th[scope=row]{font-family:ui-monospace,monospace}";

export function pageOf({ title, style, body }: Page): string {
  const name = escaped(title);
  return [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<meta name="viewport" content="width=device-width"><title>${name}</title><style>${COMMON}${style}</style></head>`,
    `<body><h1>${name}</h1>`,
    ...body,
    "</body></html>",
    "",
  ].join("\n");
}

/** @param rows each `<tr>…</tr>` */
export function tableOfRows(head: readonly string[], rows: readonly string[]): readonly string[] {
  const cells = head.map((cell) => `<th scope="col">${escaped(cell)}</th>`).join("");
  return [`<table><thead><tr>${cells}</tr></thead><tbody>`, ...rows, "</tbody></table>"];
}

/** Code spans of Markdown as `<code>`; all else is text. */
export function spans(text: string): string {
  return escaped(text).replaceAll(
    /`` (.*?) ``|`([^`]*)`/gu,
    (_all, one: string | undefined, other: string | undefined) => `<code>${one ?? other ?? ""}</code>`,
  );
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/gu, (sign) => ENTITIES[sign] ?? sign);
}
