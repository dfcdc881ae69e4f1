/**
 * What the scripts share. One clock for the fleet: the server's. `ARGV[1]` is empty, but in tests, where it is the instant.
 * Numbers are doubles, exact up to 2^53; `tostring` would print 14 digits of them, hence `%.0f`.
 */
export const NOW = `
local now, spare = tonumber(ARGV[1]), 600000
if not now then
  local t = redis.call('TIME')
  now, spare = t[1] * 1000000 + t[2], 1
end`;

/** How the instant lies in a bucket's key: as it is, in 8 bytes. Its digits would have to be printed and read each time. */
export const INSTANT = "'>d'";

export const CLOCK = `${NOW}
local function whole(x) return string.format('%.0f', x) end
local function keep(key, value, us)
  redis.call('SET', key, value, 'PX', whole(math.max(0, math.ceil(us / 1000)) + spare))
end`;

/** A ring of counts: [newest bucket, count, count, ...]. Every bucket has its place by number. */
export const STRICT = `
local function most(limit) return limit > 32767 and 2147483647 or 65535 end
local function ring(raw, len, current)
  if not raw then
    local fresh = {current}
    for i = 2, len + 1 do fresh[i] = 0 end
    return fresh, 0
  end
  local r = cmsgpack.unpack(raw)
  local head, used = r[1], 0
  local gone = math.min(current - head, len)
  for b = head + 1, head + gone do r[2 + b % len] = 0 end
  for i = 2, len + 1 do used = used + (r[i] or 0) end
  return r, used
end`;

/** "until strikes forgotten"; a strike that ends a round of \`after\` begins a block, longer each time. */
export const STRIKES = `
local function blocked(raw)
  if not raw then return 0, 0, 0 end
  local untl, strikes, forgotten = string.match(raw, '^(%d+) (%d+) (%d+)$')
  return tonumber(untl), tonumber(strikes), tonumber(forgotten)
end
local function strike(key, raw, after, us, factor, max)
  local untl, strikes, forgotten = blocked(raw)
  strikes = (forgotten > now and strikes or 0) + 1
  local length = 0
  if strikes % after == 0 then length = math.min(max, math.floor(us * factor ^ (strikes / after - 1))) end
  untl = math.max(untl, now + length)
  keep(key, whole(untl) .. ' ' .. whole(strikes) .. ' ' .. whole(untl + max), untl + max - now)
  return length
end`;

export const LEASES = `
local function lend(key, holder, us)
  redis.call('ZADD', key, whole(now + us), holder)
  local last = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')
  redis.call('PEXPIRE', key, whole(math.ceil((tonumber(last[2]) - now) / 1000) + spare))
end`;
