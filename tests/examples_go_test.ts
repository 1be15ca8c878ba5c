/**
 * The programs of `docs/guides/go.md`.
 *
 * @module
 */

import { testLanguage } from "./examples.ts";
import { languages } from "./languages.ts";

await testLanguage(languages.go);
