/**
 * What was reserved is put right. Giving back `delta * T` later would mint credit where the bucket drained in between: the difference
 * that a reservation makes starts at that much and shrinks at most at the speed of time, hence less what has passed.
 *
 * ARGV: now, number of limits, then for each its delta, when it was taken, and the limit (see `wire.ts`).
 */
import { CLOCK, INSTANT, STRICT, STRIKES } from "./prelude.js";
import { script } from "./script.js";

const BODY = `
local a, k = 3, 1
for _ = 1, tonumber(ARGV[2]) do
  local delta, taken, kind, key = tonumber(ARGV[a]), tonumber(ARGV[a + 1]), ARGV[a + 2], KEYS[k]
  a, k = a + 2, k + 1
  if kind == 'g' then
    local T, cost = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 3])
    a = a + 5
    local raw = delta ~= 0 and redis.call('GET', key)
    if delta > 0 then
      local tat = math.min(math.max(raw and struct.unpack(${INSTANT}, raw) or 0, now) + T * delta, now + 4503599627370496)
      keep(key, struct.pack(${INSTANT}, tat), tat - now)
    elseif raw then
      local tat = struct.unpack(${INSTANT}, raw) - math.max(0, math.min(-delta, cost) * T - (now - taken))
      if tat <= now then redis.call('DEL', key) else keep(key, struct.pack(${INSTANT}, tat), tat - now) end
    end
  elseif kind == 's' then
    local width, len, limit, cost = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4])
    a = a + 6
    local raw = delta ~= 0 and redis.call('GET', key)
    local current = math.floor(now / width)
    if delta > 0 then
      local r = ring(raw, len, current)
      current = math.max(current, r[1])
      local place = 2 + current % len
      r[1], r[place] = current, math.min(r[place] + delta, most(limit))
      keep(key, cmsgpack.pack(r), (current + len) * width - now)
    elseif raw then
      local r, bucket = cmsgpack.unpack(raw), math.floor(taken / width)
      local place = 2 + bucket % len
      -- A count at its ceiling may stand for more: giving back from it could forgive.
      if current - bucket < len and bucket <= r[1] and r[place] < most(limit) then
        r[place] = math.max(0, r[place] - math.min(-delta, cost))
        redis.call('SET', key, cmsgpack.pack(r), 'KEEPTTL')
      end
    end
  elseif kind == 'p' then
    local cost, ends = tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3])
    a = a + 4
    local raw = delta ~= 0 and redis.call('GET', key)
    local stored, used
    if raw then stored, used = string.match(raw, '^(%d+) (%d+)$') end
    -- Given back in the period it was taken in, or not at all: the next one owes nothing to the last.
    if stored and tonumber(stored) == ends then
      used = math.max(0, tonumber(used) + math.max(delta, -cost))
      redis.call('SET', key, stored .. ' ' .. whole(used), 'KEEPTTL')
    end
  elseif kind == 'l' then
    local holder = ARGV[a + 3]
    a = a + 4
    if delta < 0 then redis.call('ZREM', key, holder) end
  else
    a = a + 1
  end
  local penalty = ARGV[a]
  a = a + 1
  if penalty ~= '-' then
    local guard = KEYS[k]
    k = k + 1
    if penalty == 'r' or penalty == 'o' then
      local struck = (penalty == 'o' and delta >= 0) or (penalty == 'r' and kind == 'b' and delta > 0)
      if struck then
        strike(guard, redis.call('GET', guard), tonumber(ARGV[a]), tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3]))
      end
      a = a + 4
    end
  end
end
return 1`;

export const SETTLE = script(CLOCK, STRICT, STRIKES, BODY);
