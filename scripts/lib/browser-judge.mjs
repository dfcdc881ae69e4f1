// What the checks share of which a browser is the judge: what it found against what is due, pages of strangers, and forms.
import { once } from "node:events";
import { createServer } from "node:http";

/** An empty page: all that happens on it is a test's doing. */
export const HTML = "<!doctype html><meta charset=utf-8><title>a page</title>";

const problems = [];
let judged = 0;

export function expect(what, got, wanted) {
  judged += 1;
  const [found, due] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (found !== due) problems.push(`${what}: the browser found ${found}, and ${due} is due`);
}

/** At a port of its own, once it listens there. */
export async function listening(server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

/** The empty page, at every address; every host below `localhost` is this machine to Chromium, and each is an origin of its own. */
export function pages() {
  return listening(
    createServer((_request, response) => {
      response.setHeader("Content-Type", "text/html");
      response.end(HTML);
    }),
  );
}

export function stop(server) {
  server.close();
  server.closeAllConnections();
}

/** A form needs no CORS: the page navigates, and what it cannot read it has done all the same. */
export function sendForm(tab, url) {
  return tab.evaluate((action) => {
    const form = document.createElement("form");
    form.method = "POST";
    form.action = action;
    document.body.append(form);
    form.submit();
  }, url);
}

/** Ends the process. @param checks one after the other @param close whatever came of them @param more said behind the count */
export async function run(checks, close, more = "") {
  try {
    for (const check of checks) await check();
  } catch (error) {
    problems.push(String(error.stack ?? error));
  } finally {
    await close();
  }
  if (problems.length > 0) console.error(problems.join("\n"));
  console.log(`${judged} judged by the browser${more}`);
  process.exit(problems.length > 0 ? 1 : 0);
}
