// Charts as SVG, by hand: bars in groups, and curves on two logarithmic axes. Light and dark follow the reader's system.

const palette = ["#4269d0", "#efb118", "#ff725c", "#3ca951", "#6cc5b0", "#a463f2", "#97bbf5", "#9c6b4e"];
const colour = (index) => palette[index % palette.length];
const escape = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const text = (x, y, words, more = "") =>
  `<text x="${round(x)}" y="${round(y)}"${more}>${escape(words)}</text>`;
const round = (value) => Number(value.toFixed(1));

const style =
  "<style>svg{background:#fff}text{font:12px system-ui,sans-serif;fill:#222}.title{font-weight:600;font-size:14px}.faint{fill:#666}" +
  ".grid{stroke:#ddd}@media(prefers-color-scheme:dark){svg{background:#161616}text{fill:#ddd}.faint{fill:#999}.grid{stroke:#333}}</style>";

function svg(width, height, title, parts) {
  const open = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(title)}">`;
  return `${[open, style, text(16, 24, title, ' class="title"'), ...parts, "</svg>"].join("\n")}\n`;
}

/** @param chart `{ title, unit, groups: [{ name, bars: [[name, value]] }] }`: short bars are good bars */
export function barChart({ title, unit, groups }) {
  const [width, left, bar] = [760, 225, 18];
  const most = Math.max(1e-9, ...groups.flatMap(({ bars }) => bars.map(([, value]) => value)));
  const names = [...new Set(groups.flatMap(({ bars }) => bars.map(([name]) => name)))];
  const parts = [];
  let y = 44;
  for (const { name, bars } of groups) {
    parts.push(text(16, y + 13, name, ' class="title"'));
    y += bar + 2;
    for (const [label, value] of bars) {
      const length = Math.max(1, (value / most) * (width - left - 90));
      parts.push(
        text(left - 8, y + 13, label, ' text-anchor="end"'),
        `<rect x="${left}" y="${y}" width="${round(length)}" height="${bar - 4}" fill="${colour(names.indexOf(label))}"/>`,
        text(left + length + 6, y + 12, `${figure(value)} ${unit}`, ' class="faint"'),
      );
      y += bar;
    }
    y += 10;
  }
  return svg(width, y + 6, title, parts);
}

/** @param chart `{ title, x, y, series: [{ name, points: [[x, y]] }] }` */
export function lineChart({ title, x, y, series }) {
  const [width, left, right, top, bottom] = [760, 70, 540, 64, 350];
  const all = series.flatMap(({ points }) => points).filter(([a, b]) => a > 0 && b > 0);
  // A short run may measure less than nothing.
  if (all.length === 0) return svg(width, top, title, []);
  const across = logScale(
    all.map(([at]) => at),
    left,
    right,
  );
  const up = logScale(
    all.map(([, value]) => value),
    bottom,
    top,
  );
  const parts = [
    ...up.ticks.flatMap((tick) => [
      `<line class="grid" x1="${left}" x2="${right}" y1="${round(up.at(tick))}" y2="${round(up.at(tick))}"/>`,
      text(left - 8, up.at(tick) + 4, figure(tick), ' text-anchor="end" class="faint"'),
    ]),
    ...across.ticks.map((tick) =>
      text(across.at(tick), bottom + 18, figure(tick), ' text-anchor="middle" class="faint"'),
    ),
    text((left + right) / 2, bottom + 40, x, ' text-anchor="middle"'),
    text(16, top - 14, y),
    ...series.flatMap((one, index) => curve(one, index, across, up)),
    ...series.flatMap(({ name }, index) => [
      `<rect x="${right + 20}" y="${top + index * 20}" width="12" height="12" fill="${colour(index)}"/>`,
      text(right + 38, top + index * 20 + 11, name),
    ]),
  ];
  return svg(width, Math.max(bottom + 56, top + series.length * 20 + 20), title, parts);
}

function curve({ points }, index, across, up) {
  const seen = points.filter(([a, b]) => a > 0 && b > 0);
  const path = seen.map(([a, b]) => `${round(across.at(a))},${round(up.at(b))}`);
  return [
    `<polyline fill="none" stroke="${colour(index)}" stroke-width="2" points="${path.join(" ")}"/>`,
    ...path.map(
      (point) =>
        `<circle cx="${point.split(",")[0]}" cy="${point.split(",")[1]}" r="3" fill="${colour(index)}"/>`,
    ),
  ];
}

/** Whole decades, at least one: what is flat must look flat, and no axis may make a mountain of two percent. */
function logScale(values, from, to) {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  const ticks = Array.from({ length: high - low + 1 }, (_, step) => 10 ** (low + step));
  return { ticks, at: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from) };
}

function figure(value) {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (value >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  return String(Number(value.toPrecision(3)));
}
