// One line of the table of targets: what is claimed, what is to be reached, what was measured.

export const times = (ratio) => `${Number(ratio.toPrecision(3))}x`;
export const nanoseconds = (ns) => `${Math.round(ns)} ns`;
/** Of something that shall shrink: 0.25 is `1/4`. */
export const fraction = (ratio) =>
  ratio > 0 && ratio < 1 ? `1/${Number((1 / ratio).toPrecision(3))}` : times(ratio);

export const atLeast = (id, claim, limit, measured, say = times) => ({
  id,
  claim,
  reach: `>= ${say(limit)}`,
  measured: say(measured),
  reached: measured >= limit,
});

export const atMost = (id, claim, limit, measured, say = times) => ({
  id,
  claim,
  reach: `<= ${say(limit)}`,
  measured: say(measured),
  reached: measured <= limit,
});
