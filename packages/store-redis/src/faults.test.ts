/** What a client library says, in the store's words. */
import { expect, it } from "vitest";
import { StoreError } from "@gatehouse/core";
import { storeErrorOf } from "./faults.js";

class ReplyError extends Error {
  override readonly name = "ReplyError";
}

it.each<[string, string, boolean]>([
  ["READONLY You can't write against a read only replica. script: f_1", "readonly", false],
  [
    "ERR Error running script (call to f_1): @user_script:9: -OOM command not allowed when used memory > 'maxmemory'.",
    "oom",
    false,
  ],
  ["OOM command not allowed when used memory > 'maxmemory'.", "oom", false],
  ["BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", "busy", false],
  ["LOADING Redis is loading the dataset in memory", "not-ready", false],
  ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", "not-ready", false],
  ["CLUSTERDOWN Hash slot not served", "not-ready", false],
  ["CROSSSLOT Keys in request don't hash to the same slot", "crossslot", false],
  ["MOVED 3999 127.0.0.1:6381", "moved", false],
  ["NOPERM this user has no permissions to run the 'evalsha' command", "auth", false],
  ["NOAUTH Authentication required.", "auth", false],
  [
    "ERR ACL failure in script: User gatehouse has no permissions to run the 'zadd' command script: 1f, on @user_script:9.",
    "auth",
    true,
  ],
  ["ERR The user executing the script can't run this command or subcommand", "auth", true],
  [
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
    "readonly",
    false,
  ],
  ["Stream isn't writeable and enableOfflineQueue options is false", "not-ready", false],
  ["The client is closed", "not-ready", false],
  ["The queue is full", "not-ready", false],
  ["connect ECONNREFUSED 127.0.0.1:6379", "not-ready", false],
  ["None of the root nodes is available", "not-ready", false],
  ["Connection is closed.", "connection", true],
  ["Socket closed unexpectedly", "connection", true],
  ["read ECONNRESET", "connection", true],
])("%s", (text, code, ambiguous) => {
  expect(storeErrorOf(new Error(text))).toMatchObject({ name: "StoreError", code, ambiguous });
});

it("an answer that nobody expected may have been applied", () => {
  expect(storeErrorOf(new ReplyError("ERR something else"))).toMatchObject({
    code: "protocol",
    ambiguous: true,
  });
  expect(storeErrorOf("no error at all")).toMatchObject({ code: "connection", ambiguous: true });
});

it("nothing of a server's text is told on", () => {
  const told = storeErrorOf(new ReplyError("WRONGPASS invalid username-password pair: secret"));
  expect(JSON.stringify([told.message, told])).not.toContain("secret");
  const own = new StoreError("oom", false, "full");
  expect(storeErrorOf(own)).toBe(own);
});
