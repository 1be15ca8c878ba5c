/**
 * The programs of `docs/guides/deno.md`.
 *
 * @module
 */

import { testLanguage } from "./examples.ts";
import { languages } from "./languages.ts";

await testLanguage(languages.deno);
