--[[ journalAppend-4: fence, number and add one batch of a run in one step; batch 0 only takes the log over.

  KEYS[1] log     stream of the session
  KEYS[2] head    hash: gen (the fence), seq (newest number), last (newest entry's id), deleted
  KEYS[3] run     hash: gen, n (batches of gen that are in), bseq and brun (reply of batch n), run_seq, attempt, bytes,
                  first, last, last_gen, at_first and at_run (first entry of the newest attempt), closed (epoch ms), cancel
  KEYS[4] runs    sorted set: run id by its first seq
  ARGV[1] run id   [2] generation   [3] attempt   [4] batch   [5] final 0/1   [6] byte cap of a run   [7] min seq (batch 0)
  ARGV[8] now (epoch ms)   [9..] event, JSON, event, JSON ...

  Replies  {"OK", last seq, last run seq, cancel 0/1}   added
           {"DUP", last seq, last run seq, cancel 0/1}  this batch is in already: its first reply
           {"STALE", generation}                        a newer generation owns the log, or the session was deleted
           {"CLOSED"}                                   the run has its terminal event
           {"GAP"}                                      a batch before this one is missing: Redis lost it
           {"FULL"}                                     over the byte cap, and not final
  Nothing is written unless the reply is OK. ]]
local run_id, generation, attempt, batch = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local final, cap, min_seq, now = ARGV[5] == '1', tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]

local head = redis.call('HMGET', KEYS[2], 'gen', 'seq', 'deleted')
local run = redis.call('HMGET', KEYS[3], 'gen', 'n', 'bseq', 'brun', 'run_seq', 'bytes', 'closed', 'cancel', 'first', 'attempt')
local fence, seq = tonumber(head[1] or 0), tonumber(head[2] or 0)
local run_gen, n = tonumber(run[1] or 0), tonumber(run[2] or -1)
local run_seq, bytes = tonumber(run[5] or 0), tonumber(run[6] or 0)
local cancel = run[8] and 1 or 0

if generation < fence or generation < run_gen or (head[3] and generation <= fence) then
  return { 'STALE', math.max(fence, run_gen) }
end
if run_gen == generation and batch <= n then
  return { 'DUP', tonumber(run[3] or 0), tonumber(run[4] or 0), cancel }
end
if run[7] then return { 'CLOSED' } end
-- Without its claim a batch cannot know where the numbering stands: the claim was lost with the data.
if batch ~= 0 and (run_gen ~= generation or batch ~= n + 1) then return { 'GAP' } end

if batch == 0 then
  -- The ids of a fresh generation are new whatever numbers they carry, so going on after min_seq is enough.
  if seq < min_seq then seq = min_seq end
  redis.call('HSET', KEYS[2], 'gen', ARGV[2], 'seq', seq)
  if head[3] then
    redis.call('HDEL', KEYS[2], 'deleted')
    redis.call('PERSIST', KEYS[2])
  end
  redis.call('HSET', KEYS[3], 'gen', ARGV[2], 'n', 0, 'bseq', seq, 'brun', run_seq)
  redis.call('ZADD', KEYS[4], 'NX', seq + 1, run_id)
  return { 'OK', seq, run_seq, cancel }
end

for i = 10, #ARGV, 2 do bytes = bytes + #ARGV[i] end
if bytes > cap and not final then return { 'FULL' } end

local from_seq, from_run = seq + 1, run_seq + 1
for i = 9, #ARGV, 2 do
  seq = seq + 1
  run_seq = run_seq + 1
  redis.call('XADD', KEYS[1], seq .. '-' .. ARGV[2], 'e', ARGV[i], 'r', run_id, 'n', run_seq, 'a', ARGV[3], 'd', ARGV[i + 1])
end
if #ARGV >= 9 then
  redis.call('HSET', KEYS[2], 'seq', seq, 'last', seq .. '-' .. ARGV[2])
  redis.call('HSET', KEYS[3], 'run_seq', run_seq, 'bytes', bytes, 'last', seq, 'last_gen', ARGV[2], 'attempt', ARGV[3])
  if not run[9] then
    redis.call('HSET', KEYS[3], 'first', from_seq)
    redis.call('ZADD', KEYS[4], from_seq, run_id)
  end
  if not run[10] or tonumber(run[10]) ~= attempt then
    redis.call('HSET', KEYS[3], 'at_first', from_seq, 'at_run', from_run)
  end
end
redis.call('HSET', KEYS[3], 'n', batch, 'bseq', seq, 'brun', run_seq)
if final then redis.call('HSET', KEYS[3], 'closed', now) end
return { 'OK', seq, run_seq, cancel }
