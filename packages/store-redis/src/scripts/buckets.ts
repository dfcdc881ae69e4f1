/**
 * Token buckets alone, the limits that are asked for most: what `take.ts` does of them, with fewer words there and back. A refusal
 * writes nothing. Answers [all allowed, now, then for each bucket how long it takes to fill again, before this].
 *
 * KEYS: the buckets. ARGV: now, then for each how long it takes to fill, and how much longer after this (see `buckets.ts`). What a
 * command is handed is bytes and a whole number already: numbers are printed to 17 digits there, which took an eighth of the whole.
 */
import { INSTANT, NOW } from "./prelude.js";
import { script } from "./script.js";

export const TAKE_BUCKETS = script(
  NOW,
  `
local keys, argv, format, pack, read, all = KEYS, ARGV, string.format, struct.pack, struct.unpack, true
local levels, out, slack = redis.call('MGET', unpack(keys)), {1, now}, spare * 1000 + 999
for i = 1, #keys do
  local level = levels[i] and read(${INSTANT}, levels[i]) - now or 0
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
  local level = levels[i]
  redis.call('PSETEX', keys[i], format('%d', (level + slack) / 1000), pack(${INSTANT}, now + level))
end
return out`,
);
