/**
 * The programs of `docs/guides/rust.md`.
 *
 * @module
 */

import { testLanguage } from "./examples.ts";
import { languages } from "./languages.ts";

await testLanguage(languages.rust);
