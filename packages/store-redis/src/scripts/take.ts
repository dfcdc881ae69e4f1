/**
 * All limits of one stage in one call, applied all or none. A refusal writes nothing but the strikes of penalties, so that a full
 * server still refuses. Answers [all allowed, now, then for each limit: allowed, remaining, reset, retry, blocked, granted].
 *
 * ARGV: now, `t` to take or `p` to look, number of limits, then the limits (see `wire.ts`). KEYS: one a limit, and one more for
 * each that has a penalty.
 */
import { CLOCK, INSTANT, LEASES, STRICT, STRIKES } from "./prelude.js";
import { script } from "./script.js";

const BODY = `
local taking, count = ARGV[2] == 't', tonumber(ARGV[3])
local values = redis.call('MGET', unpack(KEYS))
local a, k, all = 4, 1, true
local out, later, apply, strikes = {1, now}, {}, {}, {}
local max, floor = math.max, math.floor

for i = 1, count do
  local kind, key, raw = ARGV[a], KEYS[k], values[k]
  local allowed, remaining, reset, retry, after, resetAfter
  k = k + 1
  if kind == 'g' then
    local T, burst, cost, want = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4])
    a = a + 5
    local base, tau = max(raw and struct.unpack(${INSTANT}, raw) or 0, now), burst * T
    local tat = base + T * cost
    retry = tat - now - tau
    allowed, reset, resetAfter = retry <= 0, base - now, tat - now
    remaining, after = max(0, floor((tau - reset) / T)), max(0, floor((tau - resetAfter) / T))
    if cost > burst then retry = max(reset, tau) end
    apply[i] = function(at)
      local more = math.min(want, after)
      tat = tat + more * T
      out[at + 6] = more
      keep(key, struct.pack(${INSTANT}, tat), tat - now)
    end
  elseif kind == 's' then
    local width, len, limit, cost, window = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4]), tonumber(ARGV[a + 5])
    a = a + 6
    local current = floor(now / width)
    local r, used = ring(raw, len, current)
    local head = r[1]
    -- A clock that was set back counts in the newest bucket, not in a past that is over.
    current = max(current, head)
    allowed = used + cost <= limit
    remaining, after = max(0, limit - used), max(0, limit - used - cost)
    reset, resetAfter = used == 0 and 0 or (head + len) * width - now, (current + len) * width - now
    if not allowed and cost > limit then
      retry = max(reset, window)
    elseif not allowed then
      local excess, freed, bucket = used + cost - limit, 0, max(0, head - len + 1)
      while bucket < head do
        freed = freed + r[2 + bucket % len]
        if freed >= excess then break end
        bucket = bucket + 1
      end
      retry = (bucket + len) * width - now
    end
    apply[i] = function()
      local place = 2 + current % len
      r[1], r[place] = current, math.min(r[place] + cost, most(limit))
      keep(key, cmsgpack.pack(r), resetAfter)
    end
  elseif kind == 'p' then
    local limit, cost, ends = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3])
    a = a + 4
    local used = 0
    if raw then
      local stored, units = string.match(raw, '^(%d+) (%d+)$')
      if tonumber(stored) >= ends then ends, used = tonumber(stored), tonumber(units) end
    end
    local left = max(0, ends - now)
    allowed = used + cost <= limit
    remaining, after = max(0, limit - used), max(0, limit - used - cost)
    reset, resetAfter, retry = used == 0 and 0 or left, left, left
    -- An hour longer than it counts: callers whose clocks are late still meet it.
    apply[i] = function() keep(key, whole(ends) .. ' ' .. whole(used + cost), left + 3600000000) end
  elseif kind == 'l' then
    local limit, us, holder = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]), ARGV[a + 3]
    a = a + 4
    local live = '(' .. whole(now)
    local used = redis.call('ZCOUNT', key, live, '+inf')
    allowed, remaining, reset, resetAfter = used < limit, max(0, limit - used), 0, 0
    after = max(0, remaining - 1)
    if not allowed then
      retry = tonumber(redis.call('ZRANGEBYSCORE', key, live, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]) - now
    end
    apply[i] = function()
      redis.call('ZREMRANGEBYSCORE', key, '-inf', whole(now))
      lend(key, holder, us)
    end
  else
    a = a + 1
    allowed, remaining, after, reset, resetAfter = true, 1, 1, 0, 0
  end
  local stopped = 0
  local penalty = ARGV[a]
  a = a + 1
  if penalty ~= '-' then
    local guard, state = KEYS[k], values[k]
    k = k + 1
    local left = blocked(state) - now
    if left > 0 then
      retry = max(allowed and 0 or retry, left)
      allowed, stopped, remaining, reset = false, 1, 0, max(reset, left)
    elseif not allowed and penalty == 'r' then
      local p = {tonumber(ARGV[a]), tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3])}
      strikes[i] = function(at)
        local length = strike(guard, state, p[1], p[2], p[3], p[4])
        if length > 0 then
          out[at + 2], out[at + 3], out[at + 4], out[at + 5] = 0, max(out[at + 3], length), max(out[at + 4], length), 1
        end
      end
    end
    if penalty == 'r' or penalty == 'o' then a = a + 4 end
  end
  all = all and allowed
  local at = 6 * i - 4
  out[at + 1], out[at + 2], out[at + 3], out[at + 4], out[at + 5], out[at + 6] = allowed and 1 or 0, remaining, reset, allowed and 0 or retry, stopped, 0
  later[i] = {after, resetAfter}
end

for i = 1, count do
  local at = 6 * i - 4
  if all then
    out[at + 2], out[at + 3] = later[i][1], later[i][2]
    if taking and apply[i] then apply[i](at) end
  elseif taking and strikes[i] then
    strikes[i](at)
  end
end
out[1] = all and 1 or 0
return out`;

export const TAKE = script(CLOCK, STRICT, STRIKES, LEASES, BODY);
