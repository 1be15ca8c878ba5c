/**
 * The event-loop waker: makes the runtime poll the sockets, and waits until it has.
 *
 * The runtime polls when it has nothing else to do, or after many turns of its loop; a timer makes
 * it poll too, but takes a millisecond or two. A waker is a connection of the process to itself: a
 * byte sent on one end arrives at the other only when the runtime has asked the system which
 * sockets are ready, and then it knows of all the others as well. That takes some twenty
 * microseconds.
 *
 * @module
 */

/** A connection of the process to itself. */
export class Waker {
  readonly #near: Deno.Conn;
  readonly #far: Deno.Conn;
  readonly #byte = new Uint8Array(1);
  readonly #received = new Uint8Array(16);

  private constructor(near: Deno.Conn, far: Deno.Conn) {
    this.#near = near;
    this.#far = far;
  }

  /** Makes a waker; undefined where the process may not connect to itself. */
  static async create(): Promise<Waker | undefined> {
    let listener: Deno.TcpListener;
    try {
      listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    } catch {
      return undefined;
    }
    try {
      const { hostname, port } = listener.addr;
      const [near, far] = await Promise.all([
        Deno.connect({ hostname, port }),
        listener.accept(),
      ]);
      const waker = new Waker(near, far);
      if (port !== 0 && samePort(near.localAddr, far.remoteAddr)) {
        near.setNoDelay(true);
        return waker;
      }
      // Another process connected first. A waker that it controls would be worse than none.
      waker.close();
      return undefined;
    } catch {
      return undefined;
    } finally {
      listener.close();
    }
  }

  /** Resolves once the runtime has polled the sockets. Must not be called again before that. */
  async wake(): Promise<void> {
    try {
      await Promise.all([this.#far.read(this.#received), this.#near.write(this.#byte)]);
    } catch {
      // The waker was closed. A timer does the same, but takes longer.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  /** Closes both ends. */
  close(): void {
    for (const end of [this.#near, this.#far]) {
      try {
        end.close();
      } catch {
        // The end was closed before.
      }
    }
  }
}

function samePort(one: Deno.Addr, other: Deno.Addr): boolean {
  return "port" in one && "port" in other && one.port === other.port;
}
