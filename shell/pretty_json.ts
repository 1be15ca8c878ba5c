/**
 * Pretty-prints JSON without changing it: members keep their order, numbers all their digits and
 * strings their escapes, which `JSON.stringify(JSON.parse(text))` does not promise.
 *
 * @module
 */

/** One token of JSON: a string, a mark, or a number or word. Blanks between them are dropped. */
const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/**
 * The JSON text over several lines, two blanks a level; undefined when it is not JSON. Numbers,
 * strings and words alone stay as they are.
 *
 * @example
 * ```ts ignore
 * prettyJson('{"a":[1,2]}'); // '{\n  "a": [\n    1,\n    2\n  ]\n}'
 * ```
 */
export function prettyJson(text: string): string | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  const parts: string[] = [];
  let depth = 0;
  const startLine = () => parts.push("\n", "  ".repeat(depth));
  let previous = "";
  for (const word of text.match(token) ?? []) {
    const closes = word === "}" || word === "]";
    if (closes) depth--;
    if (opens(previous) ? !closes : closes || previous === ",") startLine();
    parts.push(word === ":" ? ": " : word);
    if (opens(word)) depth++;
    previous = word;
  }
  return parts.join("");
}

function opens(word: string): boolean {
  return word === "{" || word === "[";
}
