// How times are written in tables.

export const millis = (ns) => `${(ns / 1e6).toFixed(2)} ms`;
export const micros = (ns) => (ns < 99_950 ? `${(ns / 1000).toFixed(2)} µs` : millis(ns));
