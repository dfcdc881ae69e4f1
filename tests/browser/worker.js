import { run } from "./judge.js";

postMessage(await run(globalThis));
