/** Tests of the patterns of KEYS and SCAN. */
import fc from "fast-check";
import { Glob, starsMax } from "../commands/redis/glob.ts";
import { assert, assertEquals } from "./assert.ts";

function bytesOf(latin1: string): Uint8Array {
  return Uint8Array.from(latin1, (character) => character.charCodeAt(0));
}

function globOf(pattern: string): Glob {
  // Bytes around the pattern must not matter.
  const bytes = bytesOf(`]${pattern}]`);
  return new Glob(bytes, 1, bytes.length - 1);
}

function matches(pattern: string, key: string): boolean {
  const bytes = bytesOf(`a${key}a`);
  return globOf(pattern).matches(bytes, 1, bytes.length - 1);
}

/** Redis's own algorithm, as it defines what a pattern means; the end of a text reads as NUL. */
function reference(pattern: string, key: string): boolean {
  const signed = (character: string) => character.charCodeAt(0) << 24 >> 24;
  let p = 0;
  let k = 0;
  while (p < pattern.length && k < key.length) {
    if (pattern[p] === "*") {
      while (pattern[p + 1] === "*") p++;
      if (p + 1 === pattern.length) return true;
      for (; k < key.length; k++) if (reference(pattern.slice(p + 1), key.slice(k))) return true;
      return false;
    }
    if (pattern[p] === "[") {
      p++;
      const isNegated = pattern[p] === "^";
      if (isNegated) p++;
      let isMatch = false;
      for (;; p++) {
        const left = pattern.length - p;
        if (left >= 2 && pattern[p] === "\\") {
          if (pattern[++p] === key[k]) isMatch = true;
        } else if (pattern[p] === "]") {
          break;
        } else if (left === 0) {
          p--;
          break;
        } else if (left >= 3 && pattern[p + 1] === "-") {
          const ends = [signed(pattern[p]), signed(pattern[p + 2])].sort((a, b) => a - b);
          if (signed(key[k]) >= ends[0] && signed(key[k]) <= ends[1]) isMatch = true;
          p += 2;
        } else if (pattern[p] === key[k]) {
          isMatch = true;
        }
      }
      if (isNegated === isMatch) return false;
    } else if (pattern[p] !== "?") {
      if (pattern[p] === "\\" && p + 1 < pattern.length) p++;
      if (pattern[p] !== key[k]) return false;
    }
    p++;
    k++;
    if (k === key.length) { while (pattern[p] === "*") p++; }
  }
  return p >= pattern.length && k === key.length;
}

Deno.test("redis patterns: each form", () => {
  const matching: [pattern: string, keys: string[], others: string[]][] = [
    ["*", ["a", "abc", "\n", "\xff"], []],
    ["a", ["a"], ["b", "aa", "A"]],
    ["h?llo", ["hello", "h\nllo"], ["hllo", "heello"]],
    ["h*llo", ["hllo", "heeeello", "hllollo"], ["hll", "ahllo"]],
    ["h[ae]llo", ["hallo", "hello"], ["hillo", "hllo", "haello"]],
    ["h[^e]llo", ["hallo", "h^llo"], ["hello", "hllo"]],
    ["h[a-c]llo", ["hallo", "hbllo", "hcllo"], ["hdllo", "h-llo"]],
    ["h[c-a]llo", ["hbllo"], ["hdllo"]],
    // A range from "a" to "]", and no end of the class.
    ["[a-]", ["a", "]", "`"], ["-", "b"]],
    ["[]", [], ["]", "["]],
    ["[]a]", [], ["a", "]"]],
    ["[^]", ["a", "]"], []],
    ["[\\]]", ["]"], ["\\", "["]],
    ["[\\-a]", ["-", "a"], ["b", "\\"]],
    ["[ab", ["a", "b"], ["["]],
    ["[", [], ["["]],
    ["[^", ["a", "["], ["ab"]],
    ["\\*", ["*"], ["a", "\\*"]],
    ["\\a\\?", ["a?"], ["ab"]],
    ["a\\", ["a\\"], ["a"]],
    ["**a**", ["a", "bab"], ["b"]],
    ["*?", ["a", "ab"], []],
    ["?*?", ["ab", "abc"], ["a"]],
    ["*[0-9]", ["a1", "1"], ["a"]],
    ["", [], ["a"]],
    // Redis compares the bytes of a range with their signs.
    ["[a-\xe9]", ["a", "A", "\xf0"], ["b", "\xe0"]],
  ];
  for (const [pattern, keys, others] of matching) {
    for (const key of keys) assert(matches(pattern, key), `${pattern} must match ${key}`);
    for (const key of others) assert(!matches(pattern, key), `${pattern} must not match ${key}`);
  }
});

const part = fc.constantFrom(..."aab*?[]^-\\", "\xe9", "[a-b]", "[^a]", "**");
const patterns = fc.array(part, { maxLength: 10 }).map((parts) => parts.join(""));
const keys = fc.array(fc.constantFrom(..."aabc*[]-^\\\xe9"), { minLength: 1, maxLength: 12 })
  .map((parts) => parts.join(""));

Deno.test("redis patterns: any pattern means what it means in Redis", () => {
  fc.assert(
    fc.property(patterns, keys, (pattern, key) => {
      assertEquals(matches(pattern, key), reference(pattern, key), `${pattern} and ${key}`);
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("redis patterns: the prefix is what every matching key begins with", () => {
  const prefixes: [pattern: string, prefix: string, isPrefix: boolean, isLiteral: boolean][] = [
    ["*", "", true, false],
    ["user:*", "user:", true, false],
    ["user:**", "user:", true, false],
    ["user:*x", "user:", false, false],
    ["us\\*er?", "us*er", false, false],
    ["us[e]", "us", false, false],
    ["user\\", "user\\", false, true],
    ["user", "user", false, true],
    ["", "", false, true],
  ];
  for (const [pattern, prefix, isPrefix, isLiteral] of prefixes) {
    const glob = globOf(pattern);
    assertEquals(
      [glob.prefix, glob.isPrefix, glob.isLiteral],
      [bytesOf(prefix), isPrefix, isLiteral],
      pattern,
    );
  }
  fc.assert(fc.property(patterns, keys, (pattern, key) => {
    const glob = globOf(pattern);
    const prefix = String.fromCharCode(...glob.prefix);
    const isMatch = matches(pattern, key);
    if (isMatch) assert(key.startsWith(prefix));
    if (glob.isPrefix) assertEquals(isMatch, key.startsWith(prefix));
    if (glob.isLiteral) assertEquals(isMatch, key === prefix);
  }));
});

Deno.test("redis patterns: one with too many stars matches nothing", () => {
  const key = "a".repeat(3000);
  for (const [stars, isMatch] of [[starsMax - 1, true], [starsMax, true], [starsMax + 1, false]]) {
    for (const pattern of ["*a".repeat(Number(stars)), "*?".repeat(Number(stars)) + "*"]) {
      assertEquals(matches(pattern, key), isMatch, `${stars} stars`);
      assertEquals(globOf(pattern).isNothing, !isMatch);
    }
  }
  assertEquals(matches("*".repeat(5000), key), true, "many stars in a row are one");
});

Deno.test("redis patterns: a comparison can be interrupted anywhere", () => {
  fc.assert(fc.property(patterns, keys, fc.integer({ min: 1, max: 5 }), (pattern, key, budget) => {
    const glob = globOf(pattern);
    const bytes = bytesOf(key);
    glob.begin(0);
    let isMatch: boolean | undefined;
    do {
      glob.budget = budget;
      isMatch = glob.goOn(bytes, bytes.length);
    } while (isMatch === undefined);
    assertEquals(isMatch, matches(pattern, key));
  }));
});

Deno.test("redis patterns: many stars cost no more than the pattern times the key", () => {
  const key = bytesOf("a".repeat(10_000));
  for (const pattern of ["*a*a*a*a*a*a*a*a*b", "*a".repeat(40) + "b", "a*[a-c]*?*\\a*[^b]*ab"]) {
    const glob = globOf(pattern);
    const bound = 2 * pattern.length * key.length;
    glob.budget = bound;
    glob.begin(0);
    assertEquals(glob.goOn(key, key.length), false, `${pattern} within ${bound} comparisons`);
  }
});
