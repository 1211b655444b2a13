--[[ journalRemove-3: delete a session's log and leave only the fence, for an hour.

  KEYS[1] log   KEYS[2] head   KEYS[3] runs   KEYS[4..] the run hashes, one for each member of runs
  ARGV[1] generation

  Replies  1 removed | 0 a run appeared meanwhile: read the members again and repeat ]]
if redis.call('ZCARD', KEYS[3]) ~= #KEYS - 3 then return 0 end
local fence = math.max(tonumber(redis.call('HGET', KEYS[2], 'gen') or 0), tonumber(ARGV[1]))
for _, key in ipairs(KEYS) do redis.call('DEL', key) end
redis.call('HSET', KEYS[2], 'gen', fence, 'deleted', 1)
redis.call('EXPIRE', KEYS[2], 3600)
return 1
