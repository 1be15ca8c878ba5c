/** Says on standard error what goes on. */
export function note(line: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);
}
