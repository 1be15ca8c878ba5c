/**
 * Redis clients of five languages against this server: every command that they wrap and that it
 * speaks, over RESP2 and RESP3. The programs are in `tests/redis_clients/`.
 *
 * @module
 */

import { type Kit, nodeProgram, npmInstall, pipInstall, pythonProgram } from "./redis_programs.ts";
import { testKit } from "./redis_programs.ts";

const programs = new URL("redis_clients/", import.meta.url).pathname;

const python: Kit = {
  language: "Python",
  needs: [["python3", "--version"]],
  install: (folder) => pipInstall(folder, "redis==8.1.0"),
  programs: { "redis-py": pythonProgram(`${programs}redis_py.py`) },
};

const node: Kit = {
  language: "Node",
  needs: [["node", "--version"], ["npm", "--version"]],
  install: (folder) => npmInstall(folder, "ioredis@6.0.0", "redis@6.3.1"),
  programs: {
    ioredis: nodeProgram(`${programs}ioredis.mjs`),
    "node-redis": nodeProgram(`${programs}node_redis.mjs`),
  },
};

const goEnv = { GOWORK: "off", GOTOOLCHAIN: "local" };
const go: Kit = {
  language: "Go",
  needs: [["go", "version"]],
  install: () => ({ command: ["go", "mod", "download", "-C", `${programs}go`], env: goEnv }),
  build: (folder) => ({
    command: ["go", "build", "-C", `${programs}go`, "-o", `${folder}/`, "."],
    env: { ...goEnv, GOPROXY: "off" },
  }),
  programs: { "go-redis": (folder) => ({ command: [`${folder}/blinkstore.redis`] }) },
};

const manifest = ["--quiet", "--locked", "--manifest-path", `${programs}rust/Cargo.toml`];
const rust: Kit = {
  language: "Rust",
  needs: [["cargo", "--version"]],
  install: () => ({ command: ["cargo", "fetch", ...manifest] }),
  build: (folder) => ({
    command: ["cargo", "build", "--offline", ...manifest],
    env: { CARGO_TARGET_DIR: folder },
  }),
  programs: { "redis-rs": (folder) => ({ command: [`${folder}/debug/redis_client`] }) },
};

const java: Kit = {
  language: "Java",
  needs: [["java", "-version"], ["mvn", "--version"]],
  install: (folder) => ({
    command: [
      ...["mvn", "-q", "-B", "-f", `${programs}java/pom.xml`, `-DoutputDirectory=${folder}`],
      "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies",
    ],
  }),
  programs: {
    Jedis: (folder) => ({
      command: ["java", "-cp", `${folder}/*`, `${programs}java/RedisClient.java`],
    }),
  },
};

await Promise.all([python, node, go, rust, java].map(testKit));
