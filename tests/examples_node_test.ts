/**
 * The programs of `docs/guides/node.md`.
 *
 * @module
 */

import { testLanguage } from "./examples.ts";
import { languages } from "./languages.ts";

await testLanguage(languages.node);
