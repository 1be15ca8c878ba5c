/**
 * A second, minimal implementation of the protocol with strings and a Map. Tests compare the
 * replies to random programs of requests with it. It shares no code with the server.
 *
 * @module
 */

interface Held {
  value: string;
  expiresAt: number;
}

/** Computes the replies to one client's requests on its own keys. Times are in milliseconds. */
export class WireModel {
  readonly #held = new Map<string, Held>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The reply to a line, without its end. Lines are valid requests with ASCII values. */
  reply(line: string): string {
    const [verb, key] = line.split(" ", 2);
    const words = line.split(" ").slice(2);
    switch (verb) {
      case "SET":
        return this.#store(key, line.slice(5 + key.length), Infinity);
      case "GET":
        return this.#get(key, words[0]);
      case "DELETE":
        return this.#delete(key, words[0]);
      case "PUT":
        return this.#put(key, words[0], line.slice(6 + key.length + words[0].length));
      case "MGET":
        return `VALUES ${[key, ...words].map((name) => this.#item(name)).join(" ")}`;
      case "INCR":
        return this.#increment(key, words);
      case "EXPIRE":
        return this.#expire(key, words[0]);
      case "TTL":
        return this.#timeToLive(key);
      case "FLUSH":
        return this.#flush(key);
      default:
        return "ERROR unknown command";
    }
  }

  /** Bytes of what is held. */
  get bytes(): number {
    let bytes = 0;
    for (const key of [...this.#held.keys()]) {
      bytes += this.#find(key) ? key.length + (this.#find(key)?.value.length ?? 0) : 0;
    }
    return bytes;
  }

  #find(key: string): Held | undefined {
    const held = this.#held.get(key);
    if (held === undefined || held.expiresAt > this.#now()) return held;
    this.#held.delete(key);
    return undefined;
  }

  #store(key: string, value: string, expiresAt: number): string {
    this.#held.set(key, { value, expiresAt });
    return "OK";
  }

  #in(seconds: string): number {
    return this.#now() + Number(seconds) * 1000;
  }

  #get(key: string, option: string | undefined): string {
    const held = this.#find(key);
    if (held === undefined) return "NOT_FOUND";
    if (option) held.expiresAt = this.#in(option.slice(4));
    return `VALUE ${btoa(held.value)}`;
  }

  #item(key: string): string {
    const held = this.#find(key);
    return held === undefined ? "-" : btoa(held.value) || '""';
  }

  #delete(key: string, option: string | undefined): string {
    const held = this.#find(key);
    if (held === undefined) return "NOT_FOUND";
    if (option && atob(option.slice(6)) !== held.value) return "CONFLICT";
    this.#held.delete(key);
    return "OK";
  }

  #put(key: string, options: string, text: string): string {
    const held = this.#find(key);
    let expiresAt = Infinity;
    let value = text;
    for (const option of options.split(",")) {
      const [name, argument = ""] = option.split(/=(.*)/s);
      if (name === "b64") value = atob(text);
      if (name === "ttl") expiresAt = this.#in(argument);
      if (name === "keepttl") expiresAt = held?.expiresAt ?? Infinity;
      if (name === "absent" && held) return "CONFLICT";
      if (name === "present" && !held) return "NOT_FOUND";
      if (name === "match" && !held) return "NOT_FOUND";
      if (name === "match" && held?.value !== atob(argument)) return "CONFLICT";
    }
    return this.#store(key, value, expiresAt);
  }

  #increment(key: string, words: string[]): string {
    const ttl = words.find((word) => word.startsWith("ttl="));
    const by = BigInt(words.find((word) => !word.startsWith("ttl=")) ?? 1);
    const held = this.#find(key) ?? { value: "0", expiresAt: Infinity };
    if (!/^(0|-?[1-9]\d{0,18})$/.test(held.value)) return "ERROR value is not an integer";
    const sum = BigInt(held.value) + by;
    if (sum !== BigInt.asIntN(64, sum)) return "ERROR integer overflow";
    const expiresAt = ttl && held.expiresAt === Infinity ? this.#in(ttl.slice(4)) : held.expiresAt;
    this.#store(key, String(sum), expiresAt);
    return `INT ${sum}`;
  }

  #expire(key: string, seconds: string): string {
    const held = this.#find(key);
    if (held === undefined) return "NOT_FOUND";
    held.expiresAt = seconds === "never" ? Infinity : this.#in(seconds);
    return "OK";
  }

  #timeToLive(key: string): string {
    const held = this.#find(key);
    if (held === undefined) return "NOT_FOUND";
    if (held.expiresAt === Infinity) return "TTL never";
    return `TTL ${((held.expiresAt - this.#now()) / 1000).toFixed(3)}`;
  }

  #flush(prefix: string): string {
    const doomed = [...this.#held.keys()].filter((key) =>
      this.#find(key) !== undefined && key.startsWith(prefix)
    );
    for (const key of doomed) this.#held.delete(key);
    return `DELETED ${doomed.length}`;
  }
}
