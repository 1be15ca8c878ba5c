/**
 * Commands of Redis for what this store does not have, so that the error can say so.
 *
 * @module
 */

const names: Readonly<Record<string, string>> = {
  hashes:
    "hdel hexists hexpire hexpireat hexpiretime hget hgetall hgetdel hgetex hincrby hincrbyfloat " +
    "hkeys hlen hmget hmset hpersist hpexpire hpexpireat hpexpiretime hpttl hrandfield hscan hset " +
    "hsetex hsetnx hstrlen httl hvals",
  lists:
    "blmove blmpop blpop brpop brpoplpush lindex linsert llen lmove lmpop lpop lpos lpush lpushx " +
    "lrange lrem lset ltrim rpop rpoplpush rpush rpushx",
  sets: "sadd scard sdiff sdiffstore sinter sintercard sinterstore sismember smembers smismember " +
    "smove spop srandmember srem sscan sunion sunionstore",
  "sorted sets":
    "bzmpop bzpopmax bzpopmin zadd zcard zcount zdiff zdiffstore zincrby zinter zintercard " +
    "zinterstore zlexcount zmpop zmscore zpopmax zpopmin zrandmember zrange zrangebylex " +
    "zrangebyscore zrangestore zrank zrem zremrangebylex zremrangebyrank zremrangebyscore " +
    "zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan zscore zunion zunionstore",
  "geographic indexes": "geoadd geodist geohash geopos georadius georadius_ro georadiusbymember " +
    "georadiusbymember_ro geosearch geosearchstore",
  "bit fields": "bitcount bitfield bitfield_ro bitop bitpos getbit setbit",
  hyperloglogs: "pfadd pfcount pfdebug pfmerge pfselftest",
  streams:
    "xack xackdel xadd xautoclaim xclaim xdel xdelex xgroup xinfo xlen xpending xrange xread " +
    "xreadgroup xrevrange xsetid xtrim",
  scripts: "eval eval_ro evalsha evalsha_ro fcall fcall_ro script",
  "publishing and subscribing":
    "psubscribe publish pubsub punsubscribe spublish ssubscribe subscribe sunsubscribe unsubscribe",
  "sorting of values": "sort sort_ro",
};

/** What a command of Redis works on, by its name in lower case. */
export const otherTypes: ReadonlyMap<string, string> = new Map(
  Object.entries(names).flatMap(([type, list]) => list.split(" ").map((name) => [name, type])),
);

/** What is said to a request for a command that works on another type. */
export function otherTypeText(name: string, type: string): string {
  return `ERR this store keeps strings: it has no ${type}, so no ${name.toUpperCase()}`;
}
