/**
 * What hostile clients cost, in a short form: the memory bound that docs/server.md states holds. The
 * waits of a bystander are measured by `deno task bench:hostile`; here they only have an end.
 *
 * @module
 */

import { attacks, measureHostile, startServer } from "../bench/hostile.ts";
import { assert } from "./assert.ts";

const mib = 1024 * 1024;

// 16 MiB let resident memory grow by 217 MiB, 64 MiB by 538 to 941.
for (const name of Object.keys(attacks)) {
  Deno.test({
    name: `hostile: memory stays within its bound: ${name}`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      const pendingMib = 32;
      await using server = await startServer([`--max-pending=${pendingMib}MiB`]);
      const { growthBytes, bystanderMaxMs } = await measureHostile(server, 3, name);
      assert(growthBytes < (2 * pendingMib + 160) * mib, `grew by ${growthBytes / mib} MiB`);
      assert(bystanderMaxMs < 3000, `a bystander waited for ${bystanderMaxMs} ms`);
    },
  });
}
