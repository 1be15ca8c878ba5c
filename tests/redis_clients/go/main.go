// go-redis through everything that a cache is used for.
//
// usage: redis_client HOST PORT [PASSWORD]
//
// It empties the store and runs the same checks over RESP2 and over RESP3.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

var (
	ctx      = context.Background()
	address  string
	password string
)

// long is longer than any check takes, so that no key expires under one.
const long = 1000 * time.Second

func client(protocol int, change func(*redis.Options)) *redis.Client {
	options := &redis.Options{Addr: address, Password: password, Protocol: protocol}
	if change != nil {
		change(options)
	}
	return redis.NewClient(options)
}

func connecting(protocol int) {
	named := client(protocol, func(o *redis.Options) { o.ClientName = "checks" })
	defer named.Close()
	check("PING", of[string](named.Ping(ctx)), "PONG")
	check("ECHO", of[string](named.Echo(ctx, "a\r\nb")), "a\r\nb")
	check("CLIENT GETNAME", of[string](named.ClientGetName(ctx)), "checks")
	if password == "" {
		return
	}
	for _, wrong := range []struct{ username, password, wanted string }{
		{"", "wrong", "WRONGPASS"}, {"nobody", password, "WRONGPASS"}, {"", "", "NOAUTH"},
	} {
		refused := client(protocol, func(o *redis.Options) {
			o.Username, o.Password, o.MaxRetries = wrong.username, wrong.password, -1
		})
		checkError(fmt.Sprintf("AUTH %v", wrong), refused.Get(ctx, "k").Err(), wrong.wanted)
		refused.Close()
	}
	user := client(protocol, func(o *redis.Options) { o.Username = "default" })
	check("AUTH with a user's name", of[string](user.Ping(ctx)), "PONG")
	user.Close()
}

func values(r *redis.Client) {
	everyByte := make([]byte, 256)
	for n := range everyByte {
		everyByte[n] = byte(n)
	}
	for _, value := range []string{string(everyByte), "", strings.Repeat(string(everyByte), 4096), "*1\r\n$8\r\nFLUSHALL\r\n"} {
		check("SET of bytes", of[string](r.Set(ctx, "value", value, 0)), "OK")
		check("GET of bytes", of[string](r.Get(ctx, "value")), value)
		check("STRLEN of bytes", of[int64](r.StrLen(ctx, "value")), int64(len(value)))
	}
	keys := []string{"two words", "a\r\nb", `"quoted"`, "", " ", string(everyByte), "ключ 値"}
	wanted := []any{}
	for _, key := range keys {
		check("SET "+key, of[string](r.Set(ctx, key, key, 0)), "OK")
		wanted = append(wanted, key)
	}
	check("MGET of odd keys", of[[]any](r.MGet(ctx, keys...)), wanted)
	check("DEL of odd keys", of[int64](r.Del(ctx, keys...)), int64(len(keys)))
	check("GET of none", isNil[string](r.Get(ctx, "none")), true)
}

func setting(r *redis.Client) {
	r.FlushDB(ctx)
	at := time.Now().Add(long).Truncate(time.Second)
	set := func(args redis.SetArgs) any {
		old, err := r.SetArgs(ctx, "k", "v", args).Result()
		return list(old, err == redis.Nil)
	}
	expires := func() int64 { return int64(of[time.Duration](r.ExpireTime(ctx, "k")).Seconds()) }
	check("SET EXAT", list(set(redis.SetArgs{ExpireAt: at}), expires()), list(list("OK", false), at.Unix()))
	check("SET KEEPTTL", list(set(redis.SetArgs{KeepTTL: true}), expires()), list(list("OK", false), at.Unix()))
	check("SET EX", list(of[string](r.Set(ctx, "k", "1", long)), of[time.Duration](r.TTL(ctx, "k"))), list("OK", long))
	check("SET PX", list(of[string](r.Set(ctx, "k", "1", long+time.Millisecond)), of[time.Duration](r.TTL(ctx, "k"))), list("OK", long))
	check("SET without expiry", list(of[string](r.Set(ctx, "k", "2", 0)), of[time.Duration](r.TTL(ctx, "k"))), list("OK", time.Duration(-1)))
	check("SET NX", list(of[bool](r.SetNX(ctx, "k", "3", long)), of[bool](r.SetNX(ctx, "new", "3", 0))), list(false, true))
	check("SET XX", list(of[bool](r.SetXX(ctx, "k", "4", 0)), of[bool](r.SetXX(ctx, "none", "4", long))), list(true, false))
	check("SET GET", set(redis.SetArgs{Get: true}), list("4", false))
	check("SET NX GET", set(redis.SetArgs{Mode: "NX", Get: true}), list("v", false))
	check("SETEX", list(of[string](r.SetEx(ctx, "k", "a", long)), of[time.Duration](r.TTL(ctx, "k"))), list("OK", long))
	check("GETSET", list(of[string](r.GetSet(ctx, "k", "b")), of[time.Duration](r.TTL(ctx, "k"))), list("a", time.Duration(-1)))
	check("GETEX", list(of[string](r.GetEx(ctx, "k", long)), of[time.Duration](r.TTL(ctx, "k"))), list("b", long))
	check("GETEX PERSIST", list(of[string](r.GetEx(ctx, "k", 0)), of[time.Duration](r.TTL(ctx, "k"))), list("b", time.Duration(-1)))
	check("GETDEL", list(of[string](r.GetDel(ctx, "k")), isNil[string](r.GetDel(ctx, "k"))), list("b", true))
	check("MSET", of[string](r.MSet(ctx, "m1", "1", "m2", "\x00", "m3", "")), "OK")
	check("MGET", of[[]any](r.MGet(ctx, "m1", "none", "m2", "m3")), list("1", nil, "\x00", ""))
	check("MSETNX", list(of[bool](r.MSetNX(ctx, "m1", "x", "m4", "x")), of[bool](r.MSetNX(ctx, "m4", "x"))), list(false, true))
}

func editing(r *redis.Client) {
	r.FlushDB(ctx)
	check("APPEND", list(of[int64](r.Append(ctx, "a", "ab")), of[int64](r.Append(ctx, "a", "\x00c"))), list(int64(2), int64(4)))
	check("GETRANGE", list(of[string](r.GetRange(ctx, "a", 1, -1)), of[string](r.GetRange(ctx, "a", 3, 1))), list("b\x00c", ""))
	check("SETRANGE", list(of[int64](r.SetRange(ctx, "a", 6, "z")), of[string](r.Get(ctx, "a"))), list(int64(7), "ab\x00c\x00\x00z"))
	check("STRLEN", of[int64](r.StrLen(ctx, "none")), int64(0))
	check("INCR", list(of[int64](r.Incr(ctx, "n")), of[int64](r.IncrBy(ctx, "n", 41))), list(int64(1), int64(42)))
	check("DECR", list(of[int64](r.Decr(ctx, "n")), of[int64](r.DecrBy(ctx, "n", 50))), list(int64(41), int64(-9)))
	check("INCRBYFLOAT", list(of[float64](r.IncrByFloat(ctx, "f", 10.5)), of[float64](r.IncrByFloat(ctx, "f", 0.25))), list(10.5, 10.75))
	r.Set(ctx, "n", "9223372036854775807", 0)
	checkError("INCR past 64 bits", r.Incr(ctx, "n").Err(), "increment or decrement would overflow")
}

func expiry(r *redis.Client) {
	r.FlushDB(ctx)
	r.Set(ctx, "k", "v", 0)
	ttl := func() any { return of[time.Duration](r.TTL(ctx, "k")) }
	check("TTL", list(ttl(), of[time.Duration](r.PTTL(ctx, "none"))), list(time.Duration(-1), time.Duration(-2)))
	check("EXPIRE XX of no expiry", of[bool](r.ExpireXX(ctx, "k", long)), false)
	check("EXPIRE", list(of[bool](r.Expire(ctx, "k", long)), ttl()), list(true, long))
	check("EXPIRE NX", list(of[bool](r.ExpireNX(ctx, "k", long/2)), ttl()), list(false, long))
	check("EXPIRE GT", list(of[bool](r.ExpireGT(ctx, "k", long/2)), of[bool](r.ExpireGT(ctx, "k", 2*long)), ttl()), list(false, true, 2*long))
	check("EXPIRE LT", list(of[bool](r.ExpireLT(ctx, "k", 3*long)), of[bool](r.ExpireLT(ctx, "k", long)), ttl()), list(false, true, long))
	check("PEXPIRE", list(of[bool](r.PExpire(ctx, "k", 2*long)), ttl()), list(true, 2*long))
	at := time.Now().Add(long).Truncate(time.Second)
	check("EXPIREAT", list(of[bool](r.ExpireAt(ctx, "k", at)), of[time.Duration](r.ExpireTime(ctx, "k"))), list(true, time.Duration(at.Unix())*time.Second))
	at = at.Add(5 * time.Millisecond)
	check("PEXPIREAT", list(of[bool](r.PExpireAt(ctx, "k", at)), of[time.Duration](r.PExpireTime(ctx, "k"))), list(true, time.Duration(at.UnixMilli())*time.Millisecond))
	check("PERSIST", list(of[bool](r.Persist(ctx, "k")), of[bool](r.Persist(ctx, "k"))), list(true, false))
	r.Set(ctx, "soon", "v", 20*time.Millisecond)
	until("a key expires", func() bool { return of[int64](r.Exists(ctx, "soon")) == 0 })
}

func keyspace(r *redis.Client) {
	r.FlushDB(ctx)
	r.MSet(ctx, "a", "1", "b", "text", "user:1", "x", "h[x]llo", "z")
	check("DBSIZE", of[int64](r.DBSize(ctx)), int64(4))
	check("EXISTS", of[int64](r.Exists(ctx, "a", "a", "none", "b")), int64(3))
	check("TYPE", list(of[string](r.Type(ctx, "a")), of[string](r.Type(ctx, "none"))), list("string", "none"))
	check("TOUCH", of[int64](r.Touch(ctx, "a", "none")), int64(1))
	check("UNLINK", list(of[int64](r.Unlink(ctx, "b", "none")), of[int64](r.Del(ctx, "b"))), list(int64(1), int64(0)))
	check("OBJECT ENCODING", of[string](r.ObjectEncoding(ctx, "a")), "int")
	checkError("OBJECT IDLETIME", r.ObjectIdleTime(ctx, "a").Err(), "idle time not tracked")
	check("MEMORY USAGE", of[int64](r.MemoryUsage(ctx, "a")) > 0, true)
	check("KEYS", list(of[[]string](r.Keys(ctx, "user:*")), of[[]string](r.Keys(ctx, "h\\[?\\]l*"))), list([]string{"user:1"}, []string{"h[x]llo"}))
	check("RANDOMKEY", of[int64](r.Exists(ctx, of[string](r.RandomKey(ctx)))), int64(1))
	check("RENAME", list(of[string](r.Rename(ctx, "a", "c")), of[string](r.Get(ctx, "c"))), list("OK", "1"))
	checkError("RENAME of none", r.Rename(ctx, "none", "x").Err(), "no such key")
	check("RENAMENX", list(of[bool](r.RenameNX(ctx, "c", "user:1")), of[bool](r.RenameNX(ctx, "c", "d"))), list(false, true))
	check("COPY", list(of[int64](r.Copy(ctx, "d", "e", 0, false)), of[int64](r.Copy(ctx, "d", "e", 0, false)), of[int64](r.Copy(ctx, "d", "e", 0, true))), list(int64(1), int64(0), int64(1)))
	check("FLUSHDB", list(of[string](r.FlushDB(ctx)), of[int64](r.DBSize(ctx)), isNil[string](r.RandomKey(ctx))), list("OK", int64(0), true))
	check("FLUSHALL ASYNC", of[string](r.FlushAllAsync(ctx)), "OK")
	for n := 0; n < 1000; n++ {
		r.Set(ctx, fmt.Sprintf("key:%d", n), n, 0)
	}
	scan := func(match string, count int64, kind string) int {
		seen := map[string]bool{}
		iterator := r.ScanType(ctx, 0, match, count, kind).Iterator()
		for iterator.Next(ctx) {
			seen[iterator.Val()] = true
		}
		check("SCAN ends well", iterator.Err(), nil)
		return len(seen)
	}
	check("SCAN", list(scan("", 0, ""), scan("", 7, ""), scan("key:*5", 100, ""), scan("", 50, "string"), scan("", 50, "zset")), list(1000, 1000, 100, 1000, 0))
}

func server(r *redis.Client, protocol int) {
	r.FlushDB(ctx)
	r.Set(ctx, "k", "v", 0)
	info := of[map[string]map[string]string](r.InfoMap(ctx))
	check("INFO redis_version", strings.Count(info["Server"]["redis_version"], "."), 2)
	check("INFO keyspace", strings.HasPrefix(info["Keyspace"]["db0"], "keys=1,"), true)
	limit, err := strconv.ParseInt(of[map[string]string](r.ConfigGet(ctx, "maxmemory"))["maxmemory"], 10, 64)
	check("CONFIG GET", list(limit >= 0, err), list(true, nil))
	check("TIME", time.Since(of[time.Time](r.Time(ctx))).Abs() < 5*time.Second, true)
	check("COMMAND", of[map[string]*redis.CommandInfo](r.Command(ctx))["get"].Arity, int8(2))
	check("COMMAND LIST", len(of[[]string](r.CommandList(ctx, nil))) > 50, true)
	one := client(protocol, func(o *redis.Options) { o.PoolSize = 1; o.ClientName = "me" })
	defer one.Close()
	id := of[int64](one.ClientID(ctx))
	check("CLIENT LIST", strings.Contains(of[string](r.ClientList(ctx)), fmt.Sprintf("id=%d addr=", id)), true)
	mine := of[*redis.ClientInfo](one.ClientInfo(ctx))
	check("CLIENT INFO", list(mine.ID, mine.Name, mine.DB), list(id, "me", 0))
	check("CLIENT KILL", of[int64](r.ClientKillByFilter(ctx, "ID", strconv.FormatInt(id, 10))), int64(1))
	check("the command after CLIENT KILL", of[string](one.Ping(ctx)), "PONG")
	check("it is another connection", of[int64](one.ClientID(ctx)) != id, true)
}

func pipelines(r *redis.Client) {
	replies, err := r.Pipelined(ctx, func(p redis.Pipeliner) error {
		for n := int64(0); n < 500; n++ {
			p.Set(ctx, fmt.Sprintf("p%d", n), n, 0)
			p.Incr(ctx, fmt.Sprintf("p%d", n))
		}
		return nil
	})
	check("a pipeline of 1,000", list(err, len(replies)), list(nil, 1000))
	for n := int64(0); n < 500; n++ {
		check("a reply of the pipeline", replies[2*n+1].(*redis.IntCmd).Val(), n+1)
	}
	r.Set(ctx, "x", "text", 0)
	replies, err = r.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Incr(ctx, "x")
		p.Get(ctx, "x")
		return nil
	})
	checkError("an error within a pipeline", err, "not an integer")
	check("after it", replies[1].(*redis.StringCmd).Val(), "text")
}

func transactions(r *redis.Client) {
	r.Set(ctx, "n", 1, 0)
	watch := func(during func()) error {
		return r.Watch(ctx, func(tx *redis.Tx) error {
			n, err := tx.Get(ctx, "n").Int()
			if err != nil {
				return err
			}
			during()
			_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
				p.Set(ctx, "n", n+1, 0)
				return nil
			})
			return err
		}, "n")
	}
	check("WATCH", list(watch(func() {}), of[string](r.Get(ctx, "n"))), list(nil, "2"))
	err := watch(func() { r.Set(ctx, "n", 40, 0) })
	check("WATCH of a changed key", errors.Is(err, redis.TxFailedErr), true)
	check("nothing of it ran", of[string](r.Get(ctx, "n")), "40")
	_, err = r.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, "n", "lost", 0)
		p.Do(ctx, "NOSUCHCOMMAND", "x")
		return nil
	})
	checkError("EXEC after an unknown command", err, "EXECABORT")
	check("nothing of that ran", of[string](r.Get(ctx, "n")), "40")
}

func failures(r *redis.Client) {
	r.Set(ctx, "k", "v", 0)
	checkError("an unknown command", r.Do(ctx, "NOSUCHCOMMAND", "x").Err(), "ERR unknown command")
	checkError("LPUSH on text", r.LPush(ctx, "k", "x").Err(), "")
	checkError("INCR of text", r.Incr(ctx, "k").Err(), "ERR value is not an integer or out of range")
	checkError("too few arguments", r.Do(ctx, "GET").Err(), "wrong number of arguments for 'get' command")
	checkError("a wrong option", r.Do(ctx, "SET", "k", "v", "WHAT").Err(), "syntax error")
	check("after the errors", of[string](r.Get(ctx, "k")), "v")
}

func main() {
	address = os.Args[1] + ":" + os.Args[2]
	if len(os.Args) > 3 {
		password = os.Args[3]
	}
	for _, protocol := range []int{2, 3} {
		connecting(protocol)
		r := client(protocol, nil)
		for _, part := range []func(*redis.Client){values, setting, editing, expiry, keyspace, pipelines, transactions, failures} {
			part(r)
		}
		server(r, protocol)
		r.FlushDB(ctx)
		r.Close()
	}
	fmt.Printf("ok %d checks\n", checks)
}
