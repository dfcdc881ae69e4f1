// In a page: sanitized markup is put into the document, and whatever runs is written down. The engine of the page itself,
// on the page's own DOM, cleans the same attacks.
import { createEngine } from "@gatehouse/core";
import DOMPurify from "dompurify";

const fired = [];
globalThis.alert = (what) => fired.push(String(what));

/** What each element of `parts` makes run when it becomes the content of an element of this document. */
async function firedBy(parts) {
  fired.length = 0;
  const places = parts.map((html) => {
    const place = document.createElement("div");
    document.body.append(place);
    place.innerHTML = html;
    return place;
  });
  // Written and read again, as an editor would: markup that mutates does so here.
  for (const place of places) {
    const written = place.innerHTML;
    place.innerHTML = written;
  }
  for (const node of document.querySelectorAll("details, a, input, p")) {
    for (const type of ["toggle", "focus", "mouseover", "click"]) {
      node.dispatchEvent(new Event(type, { cancelable: true }));
    }
  }
  await settled();
  for (const place of places) place.remove();
  return [...fired];
}

/** Pictures that were asked for before this one have failed by now, and a turn later so have their handlers. */
async function settled() {
  const sentinel = new Image();
  await new Promise((resolve) => {
    sentinel.addEventListener("error", resolve);
    sentinel.src = "/sentinel";
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
}

async function cleanHere(policy, texts) {
  const engine = await createEngine(policy, { dompurify: DOMPurify });
  const clean = [];
  for (const html of texts) {
    const decision = await engine.evaluate({
      method: "POST",
      target: "/posts",
      headers: [["Host", "a.test"]],
      body: { html },
    });
    clean.push(decision.outcome === "admit" ? decision.body.html : `refused: ${decision.code}`);
  }
  await engine.close();
  return clean;
}

async function withoutPurifier(policy) {
  try {
    await createEngine(policy);
    return "served";
  } catch (error) {
    return error.diagnostics?.[0]?.code ?? String(error);
  }
}

/** Hands in what a page should not: it passes its input through. */
async function withFake(policy) {
  const fake = () => ({ isSupported: true, sanitize: (html) => html, addHook: () => undefined });
  try {
    await createEngine(policy, { dompurify: fake });
    return "served";
  } catch (error) {
    return error.diagnostics?.[0]?.code ?? String(error);
  }
}

globalThis.judge = { firedBy, cleanHere, withoutPurifier, withFake };
