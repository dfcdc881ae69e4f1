/** What the command does not take. */
import { expect, it } from "vitest";
import { processIo } from "../cli/io.js";
import { main } from "../cli/main.js";

it.each([
  [["--proxy", "nginx", "--url", "/"], "`--proxy` stands alone"],
  [["--proxy", "nginx", "--curl", "curl https://a.test/"], "`--proxy` stands alone"],
  [["--proxy", "nginx", "--plain"], "`--proxy` stands alone"],
  [["--proxy", "nginx", "--peer", "10.0.0.1"], "`--proxy` stands alone"],
  [["policy.json", "--peer", "10.0.0.1", "--entry", "1"], "`--entry` is for `--har`"],
  [["policy.json", "--curl", "curl https://a.test/", "--entry", "1"], "`--entry` is for `--har`"],
  [["policy.json", "--peer", "10.0.0.256"], "`--peer` is no IP address"],
  [["policy.json", "--peer", "10.0.0.5:80"], "`--peer` is no IP address"],
])("exits with 2 for %j", async (args, problem) => {
  let told = "";
  const code = await main(["doctor", ...args], {
    ...processIo(),
    out: () => expect.unreachable("nothing is to be printed"),
    err: (text) => void (told += text),
    read: () => Promise.resolve('{"gatehouse":1,"name":"x","routes":{"GET /":{"authenticate":"none"}}}'),
  });
  expect(told).toContain(problem);
  expect(code).toBe(2);
});

it("a Unix socket has no address, and is told so", async () => {
  let told = "";
  const code = await main(["doctor", "policy.json", "--peer", "unix"], {
    ...processIo(),
    out: (text) => void (told += text),
    err: (text) => expect.unreachable(text),
    read: () => Promise.resolve('{"gatehouse":1,"name":"x","routes":{"GET /":{"authenticate":"none"}}}'),
  });
  expect(told).toContain("as over a Unix socket");
  expect(code).toBe(1);
});
