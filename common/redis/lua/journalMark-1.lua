--[[ journalMark-1: set one field of a run's hash if the hash exists (a mark must not bring a removed run back).

  KEYS[1] run hash
  ARGV[1] field   [2] value

  Replies  1 set | 0 no such run ]]
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
