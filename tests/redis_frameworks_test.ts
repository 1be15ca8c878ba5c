/**
 * What frameworks keep in Redis, against this server: Django's and Flask's cache, Keyv and
 * cache-manager, and the visitors of an Express application. The programs are in
 * `tests/redis_frameworks/`.
 *
 * rate-limit-redis, the store of express-rate-limit, is not among them: it counts in a Lua script.
 *
 * @module
 */

import { type Kit, nodeProgram, npmInstall, pipInstall, pythonProgram } from "./redis_programs.ts";
import { testKit } from "./redis_programs.ts";

const programs = new URL("redis_frameworks/", import.meta.url).pathname;

const python: Kit = {
  language: "Python",
  needs: [["python3", "--version"]],
  install: (folder) => pipInstall(folder, "redis==8.1.0", "Django==5.2.19", "Flask-Caching==2.5.1"),
  programs: {
    "Django's cache": pythonProgram(`${programs}django_cache.py`),
    "Flask-Caching": pythonProgram(`${programs}flask_cache.py`),
  },
};

const node: Kit = {
  language: "Node",
  needs: [["node", "--version"], ["npm", "--version"]],
  install: (folder) =>
    npmInstall(
      folder,
      ...["keyv@5.6.0", "@keyv/redis@5.1.6", "cache-manager@7.2.9"],
      ...["express@5.3.0", "express-session@1.19.0", "connect-redis@9.0.0", "redis@6.3.1"],
    ),
  programs: {
    "Keyv and cache-manager": nodeProgram(`${programs}keyv.mjs`),
    "connect-redis": nodeProgram(`${programs}express.mjs`),
  },
};

await Promise.all([python, node].map(testKit));
