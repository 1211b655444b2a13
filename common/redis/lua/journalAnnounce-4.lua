--[[ journalAnnounce-4: number and add entries without owning the log, once per dedupe key.

  KEYS    as journalAppend-4; for entries of no run KEYS[3] is the head again and run id is ""
  ARGV[1] run id   [2] generation   [3] attempt   [4] dedupe key   [5] final 0/1   [6] min seq   [7] now (epoch ms)
  ARGV[8] the number in the run that its log must have reached   [9..] event, JSON, event, JSON ...

  Dedupe keys of a run are fields "d:<key>" of its hash; those of no run a JSON list in head.dedupe, the newest 64.

  Replies  {"OK", last seq, last run seq, cancel 0/1}
           {"DUP", last seq, last run seq, cancel 0/1}  announced before: its first reply
           {"STALE", generation}                        the session was deleted under this generation or a later one
           {"CLOSED"}                                   the run has its terminal event
           {"GAP"}                                      the run's log does not reach ARGV[8]: Redis lost its end
  Nothing is written unless the reply is OK. ]]
local LOST_STRIDE = 1000000
local KEPT = 64
local run_id, attempt, dedupe = ARGV[1], tonumber(ARGV[3]), ARGV[4]
local final, min_seq, now = ARGV[5] == '1', tonumber(ARGV[6]), ARGV[7]
local of_run = run_id ~= ''

local head = redis.call('HMGET', KEYS[2], 'gen', 'seq', 'deleted', 'dedupe')
local fence, seq = tonumber(head[1] or 0), tonumber(head[2] or 0)
if head[3] and tonumber(ARGV[2]) <= fence then return { 'STALE', fence } end
local generation = math.max(tonumber(ARGV[2]), fence)

local run, kept = {}, {}
if of_run then
  run = redis.call('HMGET', KEYS[3], 'run_seq', 'bytes', 'closed', 'cancel', 'first', 'attempt', 'd:' .. dedupe)
  if run[7] then
    local at = cjson.decode(run[7])
    return { 'DUP', at[1], at[2], run[4] and 1 or 0 }
  end
  if run[3] then return { 'CLOSED' } end
else
  kept = head[4] and cjson.decode(head[4]) or {}
  for _, known in ipairs(kept) do
    if known[1] == dedupe then return { 'DUP', known[2], 0, 0 } end
  end
end
local run_seq, bytes, cancel = tonumber(run[1] or 0), tonumber(run[2] or 0), run[4] and 1 or 0
if run_seq < tonumber(ARGV[8]) then return { 'GAP' } end

-- The log is behind what the database has seen: Redis lost entries, and this generation may have numbered some of them.
-- A leap no run can fill keeps their ids from being given out again.
if seq < min_seq then seq = min_seq + LOST_STRIDE end

local from_seq, from_run = seq + 1, run_seq + 1
for i = 9, #ARGV, 2 do
  seq = seq + 1
  if of_run then run_seq = run_seq + 1 end
  bytes = bytes + #ARGV[i + 1]
  redis.call('XADD', KEYS[1], seq .. '-' .. generation,
    'e', ARGV[i], 'r', run_id, 'n', run_seq, 'a', ARGV[3], 'd', ARGV[i + 1])
end
redis.call('HSET', KEYS[2], 'gen', generation, 'seq', seq, 'last', seq .. '-' .. generation)
if head[3] then
  redis.call('HDEL', KEYS[2], 'deleted')
  redis.call('PERSIST', KEYS[2])
end
if of_run then
  redis.call('HSET', KEYS[3], 'run_seq', run_seq, 'bytes', bytes, 'last', seq, 'last_gen', generation,
    'attempt', ARGV[3], 'd:' .. dedupe, cjson.encode({ seq, run_seq }))
  if not run[5] then
    redis.call('HSET', KEYS[3], 'first', from_seq)
    redis.call('ZADD', KEYS[4], from_seq, run_id)
  end
  if not run[6] or tonumber(run[6]) ~= attempt then
    redis.call('HSET', KEYS[3], 'at_first', from_seq, 'at_run', from_run)
  end
  if final then redis.call('HSET', KEYS[3], 'closed', now) end
else
  table.insert(kept, { dedupe, seq })
  if #kept > KEPT then table.remove(kept, 1) end
  redis.call('HSET', KEYS[2], 'dedupe', cjson.encode(kept))
end
return { 'OK', seq, run_seq, cancel }
