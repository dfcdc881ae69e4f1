/**
 * Lists that everybody reads to their end: a stream, and beside it the ends of its entries, by which they are taken out. Ends are in no
 * order, so that cutting the stream off at one would keep everything behind an entry that lives long.
 */
import { CLOCK } from "./prelude.js";
import { script } from "./script.js";

/**
 * KEYS: stream, ends. ARGV: now, length, text. The newest entry of before stays, whatever its end: whoever has read everything goes on
 * from there, and would read all again if it were gone.
 */
export const APPEND = script(
  CLOCK,
  `
local us = tonumber(ARGV[2])
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', whole(now), 'LIMIT', 0, 100)) do
  if not last or id ~= last[1] then
    redis.call('XDEL', KEYS[1], id)
    redis.call('ZREM', KEYS[2], id)
  end
end
local ends = whole(now + us)
local id = redis.call('XADD', KEYS[1], '*', 'ends', ends, 'text', ARGV[3])
redis.call('ZADD', KEYS[2], ends, id)
local ms = math.ceil(us / 1000) + spare
for i = 1, 2 do
  if redis.call('PTTL', KEYS[i]) < ms then redis.call('PEXPIRE', KEYS[i], whole(ms)) end
end
return 1`,
);

/**
 * KEYS: stream, one that never is. ARGV: now, id and end of the entry to go on after (empty: from the start), how many entries at most. Answers id and
 * end of the last entry, whether there is more, and the texts.
 *
 * Where that entry is not to be found, this server has lost something, or was another's replica and never had it: its ids may be smaller
 * than the reader's, and a new entry would be passed over. Hence from the start.
 *
 * Deletes nothing, but as a write: a server that may not write is nobody that new entries come to. Only one whose disk is full has all
 * there is, for it takes no more.
 */
export const READ = script(
  CLOCK,
  `
local tried = redis.pcall('DEL', KEYS[2])
if type(tried) == 'table' and tried.err and not string.find(tried.err, 'MISCONF', 1, true) then return tried end
local id, ends, most, from = ARGV[2], ARGV[3], tonumber(ARGV[4]), '-'
if id ~= '' then
  local known = redis.call('XRANGE', KEYS[1], id, id)[1]
  if known and known[2][2] == ends then from = '(' .. id else id, ends = '', '' end
end
local found = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', most + 1)
local out = {id, ends, #found > most and 1 or 0}
for i = 1, math.min(most, #found) do
  local entry = found[i]
  out[1], out[2] = entry[1], entry[2][2]
  if tonumber(out[2]) > now then out[#out + 1] = entry[2][4] end
end
return out`,
);
