/**
 * The programs of `docs/guides/python.md`.
 *
 * @module
 */

import { testLanguage } from "./examples.ts";
import { languages } from "./languages.ts";

await testLanguage(languages.python);
