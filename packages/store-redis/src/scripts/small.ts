/** Leases that go on, keys that are seen once, values that end, who is in the fleet, and whether a server takes writes. */
import { CLOCK, LEASES } from "./prelude.js";
import { script } from "./script.js";

/** ARGV: now, then length and holder for each key. Answers 0 when one was lost. */
export const RENEW = script(
  CLOCK,
  LEASES,
  `
local kept = 1
for i = 1, #KEYS do
  local us, holder = tonumber(ARGV[2 * i]), ARGV[2 * i + 1]
  local ends = redis.call('ZSCORE', KEYS[i], holder)
  if ends and tonumber(ends) > now then lend(KEYS[i], holder, us) else kept = 0 end
end
return kept`,
);

/** ARGV: now, length. */
export const ONCE = script(
  CLOCK,
  `
local ends = redis.call('GET', KEYS[1])
if ends and tonumber(ends) > now then return 0 end
local us = tonumber(ARGV[2])
keep(KEYS[1], whole(now + us), us)
return 1`,
);

/** ARGV: now, length, text. */
export const PUT = script(
  CLOCK,
  `
local us = tonumber(ARGV[2])
keep(KEYS[1], whole(now + us) .. ' ' .. ARGV[3], us)
return 1`,
);

/** ARGV: now. */
export const GET = script(
  CLOCK,
  `
local raw = redis.call('GET', KEYS[1])
if not raw then return false end
local ends, text = string.match(raw, '^(%d+) (.*)$')
if tonumber(ends) <= now then return false end
return text`,
);

export const DROP = script(`return redis.call('DEL', KEYS[1])`);

/** ARGV: now, name, how long a member is believed in. Answers how many there are. */
export const FLEET = script(
  CLOCK,
  `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', whole(now))
redis.call('ZADD', KEYS[1], whole(now + tonumber(ARGV[3])), ARGV[2])
redis.call('PEXPIRE', KEYS[1], whole(math.ceil(tonumber(ARGV[3]) / 1000)))
return redis.call('ZCARD', KEYS[1])`,
);

export const LEAVE = script(`return redis.call('ZREM', KEYS[1], ARGV[1])`);

/** A write: a replica, and a server without memory, answer a PING as ever. */
export const PROBE = script(`redis.call('SET', KEYS[1], '1', 'PX', 1000) return 1`);
