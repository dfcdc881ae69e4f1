// Somebody else's adapter, held to the cases that travel with the package, by Node's own test runner. The whole list runs
// in the repository; here it counts that a stranger can run it.
import { createServer } from "node:http";
import { describe, it } from "node:test";
import { createEngine } from "@gatehouse/core";
import { caseFiles, describeAdapter, rawAnswer } from "@gatehouse/core/conformance";
import { guard } from "@gatehouse/node-http";

const target = {
  name: "a stranger's adapter",
  lacks: ["tls", "upgrade", "objects"],
  start: async ({ policy, engineOptions, answer }) => {
    const engine = await createEngine(policy, engineOptions);
    const server = guard(engine, (_request, response, { decision }) => {
      const { throws, ...given } = answer(decision);
      if (throws !== undefined) throw new Error(throws);
      const { status, headers, body } = rawAnswer(given);
      response.writeHead(status, headers.flat());
      response.end(typeof body === "object" ? JSON.stringify(body) : body);
    }).attach(createServer({ requireHostHeader: false }));
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    return {
      port: server.address().port,
      close: async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
        await engine.close();
      },
    };
  },
};

void it("the cases came with the package", () => {
  const count = caseFiles().reduce((sum, { file }) => sum + file.cases.length, 0);
  if (count < 1000) throw new Error(`only ${count} cases`);
});

describeAdapter(
  target,
  { describe, it },
  { only: ({ threats = [] }) => threats.some((id) => id.startsWith("B1.")) },
);
