// One suite: `fork`ed with its name, tells its parent what came of it.
import { inspect } from "node:util";

const name = process.argv[2];
const short = process.env.GATEHOUSE_BENCH_SHORT === "1";

const message = await measured();
process.send(message, () => process.exit(0));

async function measured() {
  let title;
  try {
    const suite = await import(new URL(`../suites/${name}.mjs`, import.meta.url));
    title = suite.title;
    return { title, result: await suite.run({ short }) };
  } catch (error) {
    return { title, error: inspect(error) };
  }
}
