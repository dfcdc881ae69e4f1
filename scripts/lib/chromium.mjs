// Debian's Chromium, as every check that needs a browser starts it.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const executablePath = process.env.GATEHOUSE_CHROMIUM ?? "/usr/bin/chromium";

/** Why there is no browser; undefined when there is one. */
export function whyNoBrowser() {
  return existsSync(executablePath)
    ? undefined
    : `no ${executablePath}: install chromium, or set GATEHOUSE_CHROMIUM`;
}

export function launch() {
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
