/**
 * A way to let the runtime look at the sockets, and to hear of it at once.
 *
 * The runtime looks at the sockets when it has nothing else to do, or after many turns of its
 * loop; a timer makes it, but takes a millisecond or two. A bell is a connection of the process to
 * itself: a byte that is sent on one end comes out of the other only when the runtime has asked the
 * system which sockets are ready, and then it has been told of all the others as well. That takes
 * some twenty microseconds.
 *
 * @module
 */

/** See the head of this file. */
export class Bell {
  readonly #near: Deno.Conn;
  readonly #far: Deno.Conn;
  readonly #stroke = new Uint8Array(1);
  readonly #heard = new Uint8Array(16);

  private constructor(near: Deno.Conn, far: Deno.Conn) {
    this.#near = near;
    this.#far = far;
  }

  /** Hangs a bell; undefined where the process may not connect to itself. */
  static async hang(): Promise<Bell | undefined> {
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
      const bell = new Bell(near, far);
      if (port !== 0 && samePort(near.localAddr, far.remoteAddr)) {
        near.setNoDelay(true);
        return bell;
      }
      // Somebody else was faster to connect; better no bell than one that others ring.
      bell.close();
      return undefined;
    } catch {
      return undefined;
    } finally {
      listener.close();
    }
  }

  /** Resolves once the runtime has looked at the sockets. Not to be called again before that. */
  async ring(): Promise<void> {
    try {
      await Promise.all([this.#far.read(this.#heard), this.#near.write(this.#stroke)]);
    } catch {
      // The bell was taken down; a timer does the same, later.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  /** Takes the bell down. */
  close(): void {
    for (const end of [this.#near, this.#far]) {
      try {
        end.close();
      } catch {
        // It was closed already.
      }
    }
  }
}

function samePort(one: Deno.Addr, other: Deno.Addr): boolean {
  return "port" in one && "port" in other && one.port === other.port;
}
