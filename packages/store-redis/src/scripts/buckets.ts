/**
 * Token buckets alone, the limits that are asked for most: what `take.ts` does of them, with fewer words there and back. A refusal
 * writes nothing. Answers [all allowed, now, then for each bucket how long it takes to fill again, before this].
 *
 * KEYS: the buckets. ARGV: now, then for each how long it takes to fill, and how much longer after this (see `buckets.ts`). Numbers
 * that are handed to a command are written in full, to 17 digits.
 */
import { NOW } from "./prelude.js";
import { script } from "./script.js";

export const TAKE_BUCKETS = script(
  NOW,
  `
local keys, argv, ceil, all = KEYS, ARGV, math.ceil, true
local levels, out = redis.call('MGET', unpack(keys)), {1, now}
for i = 1, #keys do
  local level = levels[i] and levels[i] - now or 0
  if level < 0 then level = 0 end
  out[i + 2] = level
  level = level + argv[2 * i + 1]
  if level > tonumber(argv[2 * i]) then all = false end
  levels[i] = level
end
if not all then
  out[1] = 0
  return out
end
for i = 1, #keys do
  redis.call('SET', keys[i], now + levels[i], 'PX', ceil(levels[i] / 1000) + spare)
end
return out`,
);
